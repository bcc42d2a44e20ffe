"""A lab whose runs are placed on a node in the test's own folder."""

import pytest

from mtlab import RunSpec
from mtlab.defaults import complete
from mtlab.presets import resolve_base
from mtlab.runs.creating import NewRun, new_ids
from mtlab.runs.placement import Placement
from tests.near_jobs import near_jobs

__all__ = ["near_jobs"]

HERE = Placement("127.0.0.1:6379")


@pytest.fixture
def queued(lab):
    """Write a run for a cluster down; nothing starts it."""

    def make(placement=HERE, **fields):
        data = {"base": "nano", "train": ("de-en",), "size": 4, "metrics": ("chrf",), **fields}
        data.setdefault("group", "fake")
        spec = RunSpec(**data)
        spec = complete(spec, resolve_base(spec.base, lab.settings))
        run = NewRun(new_ids(lab.settings)[0], spec, placement=placement)
        return lab.store.create_all([run])[0]

    return make

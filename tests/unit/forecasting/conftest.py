"""Finished runs that noted their work, as jobs do."""

from collections.abc import Callable
from typing import Any

import pytest

from mtlab.defaults import complete
from mtlab.forecasting import Forecaster
from mtlab.presets import resolve_base
from mtlab.runs import provenance
from mtlab.runs.store import RunRecord, RunStore
from mtlab.settings import Settings
from mtlab.spec import RunSpec


@pytest.fixture
def store(home):
    return RunStore(home)


@pytest.fixture
def forecaster(store):
    return Forecaster(store)


def spec_of(**fields: Any) -> RunSpec:
    """A complete spec of nano, without COMET."""
    told = {"size": 32, "train": ("de-en",), "test_limit": 32, "metrics": ("bleu",), **fields}
    spec = RunSpec(**told)
    return complete(spec, resolve_base(spec.base, Settings.from_environment()))


@pytest.fixture
def finished(store, forecaster) -> Callable[..., RunRecord]:
    """Write a run down that took so many times as long, and so much memory, as was forecast."""

    def write(
        spec: RunSpec,
        *,
        slower: float = 1.0,
        larger: float = 1.0,
        answers: dict[str, dict[str, float]] | None = None,
    ) -> RunRecord:
        told = Forecaster(store).forecast(spec)
        assert told is not None
        run = store.create(spec)
        provenance.record(
            run.folder,
            work=told.work.to_json(),
            versions=dict(provenance.versions()),
            peak_memory_mb=larger * told.memory / 1e6,
            answers=answers or {},
        )
        seconds = {name: slower * value for name, value in told.seconds.items()}
        status = store.status(run.id).with_changes(state="finished", seconds=seconds, attempts=1)
        store.write_status(run.id, status)
        return run

    return write

"""A store in an empty home, and a job that behaves as a test tells it to."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from mtlab.defaults import complete
from mtlab.presets import BASES
from mtlab.runs.store import RunStore
from mtlab.settings import Settings
from mtlab.spec import RunSpec
from tests.fake_jobs import fake_jobs

__all__ = ["fake_jobs", "spec", "store", "until"]


@pytest.fixture
def store(home: Settings) -> RunStore:
    """A store in an empty home."""
    return RunStore(home)


@pytest.fixture
def spec() -> RunSpec:
    """A complete spec."""
    return complete(RunSpec(size=4, train=("de-en",), metrics=("chrf",)), BASES["nano"])


@pytest.fixture
def until() -> Callable[[Callable[[], object]], None]:
    """Wait until something holds; fails after a minute, which a busy machine may need."""

    def wait(holds: Callable[[], object]) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if holds():
                return
            time.sleep(0.02)
        pytest.fail("it did not happen within a minute")

    return wait

"""The job's voice: phases timed, progress that never goes back, an end that stands."""

import subprocess
import sys

import pytest

from mtlab.runs.reporting import SHARES, Reporter, peak_memory_mb
from mtlab.runs.status import PHASES


@pytest.fixture
def reporter(store, spec):
    record = store.create(spec)
    made = Reporter(record.folder, store.status(record.id).with_changes(state="running"))
    yield made
    made._done.set()


def test_the_shares_are_a_whole_and_name_every_phase():
    assert sum(SHARES.values()) == pytest.approx(1)
    assert tuple(SHARES) == PHASES


def test_phases_steps_and_end(store, reporter):
    run = reporter.status.id
    with reporter.phase("prepare"):
        pass
    with reporter.phase("train"):
        reporter.emit("step", step=1, steps=4, loss=2.0)
        half = reporter.status.progress
        reporter.progress(0.1)
        assert reporter.status.progress == half, "progress does not go back"
    reporter.end("finished")
    status = store.written_status(run)
    assert status.state == "finished" and status.progress == 1
    assert set(status.seconds) == {"prepare", "train"} and status.memory_mb > 1
    kinds = [event.kind for event in store.events(run)]
    assert kinds == ["phase", "phase", "step", "end"]


def test_a_phase_that_fails_is_timed_too(reporter):
    with pytest.raises(ValueError), reporter.phase("load"):
        raise ValueError
    assert "load" in reporter.status.seconds


def test_a_stopped_run_is_called_so_only_when_its_process_is_gone(store, reporter):
    reporter.end("stopped")
    status = store.status(reporter.status.id)
    assert (status.state, status.ending) == ("running", "stopped")


def test_the_memory_of_a_process_is_its_own_and_not_of_who_started_it():
    """What starts a process from a large one gives it a larger `ru_maxrss` than it ever had."""
    ballast = bytearray(400_000_000)
    ballast[::4096] = b"x" * len(ballast[::4096])  # touched, so that it is really there
    code = "from mtlab.runs.reporting import peak_memory_mb; print(peak_memory_mb())"
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 5 < float(made.stdout) < 300
    assert peak_memory_mb() > 400

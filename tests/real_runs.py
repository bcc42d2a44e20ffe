"""Runs through the real process, of seconds each: the tiny model on a few everyday sentences.

`jobs_do_first` has Python run in a job's process before the job does: a failure raised in the
middle, a wait, a kill. The rest is the real thing, in a session of its own.
"""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable

import pytest

from mtlab import Lab, RunSpec
from mtlab.lab import Run
from mtlab.runs import supervisor
from mtlab.runs.identity import ProcessIdentity
from mtlab.runs.status import Status

PATIENCE = 240

DRIVER = """
import os, sys
{prelude}
from mtlab.runs import job
code = job.main(sys.argv[1:])
sys.stdout.flush()
os._exit(code)
"""


@pytest.fixture
def lab(home):
    """A lab in an empty home; whatever still runs there is ended with the test."""
    made = Lab(home)
    yield made
    for run in made.runs():
        status = run.status()
        if status.pid:
            identity = ProcessIdentity(status.pid, status.started, status.token)
            identity.signal_group(signal.SIGKILL)
    made.close()


@pytest.fixture
def spec(tiny_model):
    """A run of seconds: the tiny model on eight everyday sentences."""

    def make(**changes):
        data = {
            "base": str(tiny_model),
            "size": 8,
            "train": ("de-en", "en-de"),
            "test_limit": 3,
            "metrics": ("bleu", "chrf"),
            "probe_size": 4,
            "training": {
                "method": "lora",
                "steps": 8,
                "batch_size": 4,
                "checkpoint_steps": 4,
                "max_length": 256,
            },
            "decoding": {"beams": 2, "max_new_tokens": 12},
        }
        for name, value in changes.items():
            data[name] = {**data.get(name, {}), **value} if isinstance(value, dict) else value
        return RunSpec(**data)

    return make


@pytest.fixture
def jobs_do_first(tmp_path, monkeypatch):
    """Have every job that is launched from now on run some Python first."""

    def do_first(prelude):
        script = tmp_path / "driver.py"
        script.write_text(DRIVER.replace("{prelude}", prelude))
        monkeypatch.setattr(supervisor, "JOB", (sys.executable, str(script)))

    return do_first


def until(holds: Callable[[], object]) -> None:
    """Wait until something holds."""
    for _ in range(PATIENCE * 20):
        if holds():
            return
        time.sleep(0.05)
    pytest.fail(f"it did not happen within {PATIENCE} seconds")


def alive(status: Status) -> bool:
    """Whether the process of a status lives."""
    return ProcessIdentity(status.pid, status.started, status.token).is_alive()


def trained_steps(run: Run) -> list[int]:
    """The steps that a run has told of."""
    return [event["step"] for event in run.events() if event.kind == "step"]


def notes(run: Run) -> list[str]:
    """What a run has noted for people."""
    return [event["text"] for event in run.events() if event.kind == "note"]

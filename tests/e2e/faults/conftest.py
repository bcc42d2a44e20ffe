"""Homes to break: real jobs that can be held, jobs without torch, and apps that may be killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mtlab.defaults import complete
from mtlab.presets import BASES
from mtlab.runs import supervisor as supervisor_module
from mtlab.runs.attending import Patience
from mtlab.runs.store import RunStore
from mtlab.runs.supervisor import Supervisor
from mtlab.spec import RunSpec
from tests.e2e.faults.halting import Holding
from tests.fake_jobs import fake_jobs

__all__ = ["fake_jobs"]

ROOT = Path(__file__).resolve().parents[3]
QUICK = Patience(asked=0.2, terminated=0.3, lingering=0.3)

APP = """
import sys, time
from mtlab import Lab
from mtlab.runs import supervisor
supervisor.JOB = tuple(sys.argv[1:])
Lab().supervise()
print("ready", flush=True)
time.sleep(3600)
"""


@pytest.fixture
def holding(tmp_path, jobs_do_first):
    """Jobs of this test can be held at a phase."""
    made = Holding(tmp_path / "holding")
    jobs_do_first(made.prelude)
    yield made
    made.nowhere()


@pytest.fixture
def apps(home):
    """Start processes that look after the home, as the app does; give each as it is ready."""
    started = []

    def start():
        app = subprocess.Popen(
            [sys.executable, "-c", APP, *supervisor_module.JOB],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(app)
        assert app.stdout.readline() == "ready\n"
        return app

    yield start
    for app in started:
        app.kill()
        app.wait()
        app.stdout.close()


@pytest.fixture
def store(home):
    """A store in an empty home."""
    return RunStore(home)


@pytest.fixture
def plain():
    """A complete spec, for jobs that only pretend."""
    return complete(RunSpec(size=4, train=("de-en",), metrics=("chrf",)), BASES["nano"])


@pytest.fixture
def supervisor(store, home, monkeypatch):
    """A supervisor with one device and little patience, that acts when it is told to."""
    monkeypatch.setattr(supervisor_module, "allowed_devices", lambda settings: ("cpu",))
    made = Supervisor(store, home, patience=QUICK)
    yield made
    made.stop()


@pytest.fixture
def kill():
    """End a process at once and see it gone."""

    def kill(process):
        os.kill(process.pid, signal.SIGKILL)
        process.wait()

    return kill

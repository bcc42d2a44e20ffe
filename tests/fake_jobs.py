"""A job that behaves as a test tells it to: a real process in its own session, without torch."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mtlab.runs import supervisor as supervisor_module
from mtlab.settings import Settings

FAKE_JOB = """
import json, os, signal, subprocess, sys, time
from pathlib import Path
from mtlab.runs.files import read_json
from mtlab.runs.job import StopWish
from mtlab.runs.reporting import Reporter
from mtlab.runs.status import Status

folder, behaviour = Path(sys.argv[1]), (sys.argv[4:] or ["quick"])[0]
wish = StopWish(folder)
signal.signal(signal.SIGTERM, signal.SIG_IGN if behaviour == "stubborn" else wish.hear)
if behaviour == "stillborn":
    sys.exit("ModuleNotFoundError: no such thing")
reporter = Reporter(folder, Status.from_json(read_json(folder / "status.json")))
with reporter.phase("train"):
    if behaviour == "child":
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    if behaviour == "crash":
        os.kill(os.getpid(), signal.SIGKILL)
    while behaviour != "quick" and (
        behaviour in ("patient", "stubborn") or not (folder / "go").exists()
    ):
        if behaviour != "stubborn" and wish():
            reporter.end("stopped" if wish.is_by_a_person else "interrupted")
            os._exit(0)
        time.sleep(0.02)
reporter.end("finished")
if behaviour == "lingering":
    time.sleep(600)
os._exit(0)
"""


@pytest.fixture
def fake_jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Choose how launched runs behave; real processes in sessions of their own."""
    script = tmp_path / "fake_job.py"
    script.write_text(FAKE_JOB)
    chosen = {"behaviour": "patient"}
    children: list[subprocess.Popen[bytes]] = []

    def launch(
        folder: Path, token: str, device: str, settings: Settings
    ) -> subprocess.Popen[bytes]:
        root = Path(__file__).resolve().parents[1]
        command = [sys.executable, str(script), str(folder), "--token", token]
        with open(folder / "job.log", "ab") as log:
            child = subprocess.Popen(
                [*command, chosen["behaviour"]],
                stdout=log,
                stderr=log,
                start_new_session=True,
                env={**os.environ, "PYTHONPATH": str(root), "MTLAB_RUN_TOKEN": token},
            )
        children.append(child)
        return child

    monkeypatch.setattr(supervisor_module, "launch", launch)

    def choose(behaviour: str) -> None:
        chosen["behaviour"] = behaviour

    yield choose
    for child in children:
        try:
            os.killpg(child.pid, 9)
        except OSError:
            pass
        child.wait(timeout=10)

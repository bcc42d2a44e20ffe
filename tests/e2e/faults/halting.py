"""A job that can be held at a phase, so that a fault strikes there and nowhere else."""

from __future__ import annotations

import os
from pathlib import Path

from mtlab.lab import Run
from tests.real_runs import until

PRELUDE = """
import os, time
from pathlib import Path
from mtlab.runs.reporting import Reporter
place = Path({place!r})
begin, progress = Reporter.phase, Reporter.progress

def hold(phase):
    wanted = place / "hold-in"
    if not wanted.exists() or wanted.read_text() != phase:
        return
    (place / "held-in").write_text(f"{{os.getpid()}} {{phase}}")
    while wanted.exists() and wanted.read_text() == phase:
        time.sleep(0.02)

def at_begin(self, name):
    if name in ("prepare", "load"):
        with begin(self, name):
            hold(name)
    return begin(self, name)

def at_progress(self, share, detail=""):
    progress(self, share, detail)
    if share > (0.6 if self.status.phase == "train" else 0):
        hold(self.status.phase)

Reporter.phase, Reporter.progress = at_begin, at_progress
"""


class Holding:
    """Says where jobs are held, from outside.

    Args:
        place: a folder outside the home.
    """

    def __init__(self, place: Path) -> None:
        place.mkdir()
        self.prelude = PRELUDE.format(place=str(place))
        self._wanted, self._held = place / "hold-in", place / "held-in"

    def at(self, phase: str) -> None:
        """Hold jobs in a phase from now on: in the middle of it, where it has one."""
        self._held.unlink(missing_ok=True)
        aside = self._wanted.with_suffix(".new")
        aside.write_text(phase)
        os.replace(aside, self._wanted)

    def nowhere(self) -> None:
        """Let all go on."""
        self._wanted.unlink(missing_ok=True)

    def wait(self, run: Run, phase: str) -> int:
        """Wait until the run's process is held in the phase; its pid."""

        def is_held() -> bool:
            status = run.status()
            assert not status.is_over, f"{status.state}: {status.sentence}\n{run.log_tail()}"
            return self._held.exists() and self._held.read_text().endswith(f" {phase}")

        until(is_held)
        return int(self._held.read_text().split()[0])

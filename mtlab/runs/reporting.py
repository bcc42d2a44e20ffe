"""How a job tells of itself: its events, its status, a heartbeat, and the seconds per phase."""

from __future__ import annotations

import contextlib
import os
import resource
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mtlab.runs.events import EventLog
from mtlab.runs.files import read_json, write_json
from mtlab.runs.identity import start_mark
from mtlab.runs.status import Phase, State, Status

HEARTBEAT_SECONDS = 2.0

SHARES: dict[Phase, float] = {
    "prepare": 0.03,
    "load": 0.07,
    "base": 0.20,
    "train": 0.40,
    "decode": 0.25,
    "score": 0.05,
}
"""What part of the progress each phase stands for."""


class Reporter:
    """The only writer of a live run's `status.json` and `events.jsonl`.

    Args:
        folder: the run's folder.
        status: the status this attempt was launched with.

    A background thread writes the status every two seconds. It also ends the process when the
    folder is gone or the run was given to another attempt: two never write to one run.
    """

    def __init__(self, folder: Path, status: Status) -> None:
        self.folder = folder
        self.log = EventLog(folder / "events.jsonl")
        self._lock = threading.RLock()
        self._done = threading.Event()
        self._status = status.with_changes(
            pid=os.getpid(),
            started=start_mark(os.getpid()),
            heartbeat=time.time(),
            error=None,
            ending=None,
            ended=None,
            progress=0.0,
            detail="",
        )
        self._write()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)
        self._thread.start()

    @property
    def status(self) -> Status:
        """The status as it was last set."""
        return self._status

    def emit(self, kind: str, **data: Any) -> None:
        """Append an event. A `step` also moves the progress.

        Raises:
            OSError: it cannot be written.
        """
        with self._lock:
            self.log.append(kind, **data)
            if kind == "step" and data.get("steps"):
                self.progress(data["step"] / data["steps"], f"step {data['step']}/{data['steps']}")

    def progress(self, share: float, detail: str = "") -> None:
        """How much of the phase is done, 0 to 1; written with the next heartbeat."""
        with self._lock:
            phase = self._status.phase
            if phase is None:
                return
            before = sum(part for name, part in _before(phase))
            value = before + SHARES[phase] * min(1.0, max(0.0, share))
            self._status = self._status.with_changes(
                progress=round(max(value, self._status.progress), 4),
                detail=detail or self._status.detail,
            )

    @contextmanager
    def phase(self, name: Phase) -> Iterator[None]:
        """A phase: said when it begins, timed when it ends, however it ends."""
        with self._lock:
            self._status = self._status.with_changes(phase=name, detail="")
            self.progress(0.0)
            self.log.append("phase", phase=name)
            self._write()
        began = time.monotonic()
        try:
            yield
        finally:
            with self._lock:
                seconds = dict(self._status.seconds)
                seconds[name] = round(seconds.get(name, 0.0) + time.monotonic() - began, 3)
                self._status = self._status.with_changes(seconds=seconds)

    def end(self, state: State, error: dict[str, str | None] | None = None) -> None:
        """Declare the end: the event first, so that it stands even if the status cannot be written.

        A run that was asked to stop is called stopped by whoever sees its process gone.

        Raises:
            OSError: the event cannot be written.
        """
        self._done.set()
        with self._lock:
            if error is not None:
                self.log.append("error", **error)
            changes: dict[str, Any] = {"error": error, "ending": state, "detail": ""}
            if state != "stopped":
                changes |= {"state": state, "ended": time.time()}
            if state == "finished":
                changes["progress"] = 1.0
            self._status = self._status.with_changes(**changes)
            self.log.append("end", state=state)
            self._write()

    def _beat(self) -> None:
        while not self._done.wait(HEARTBEAT_SECONDS):
            written = read_json(self.folder / "status.json")
            if not self.folder.exists() or (written and written["token"] != self._status.token):
                os._exit(3)
            # A full disk is for the pipeline to meet and to say.
            with contextlib.suppress(OSError), self._lock:
                if not self._done.is_set():
                    self._write(durable=False)

    def _write(self, *, durable: bool = True) -> None:
        self._status = self._status.with_changes(heartbeat=time.time(), memory_mb=peak_memory_mb())
        write_json(self.folder / "status.json", self._status.to_json(), durable=durable)


def peak_memory_mb() -> float:
    """The largest resident size of this process so far, in MB (10^6 bytes)."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    unit = 1 if sys.platform == "darwin" else 1024
    return round(peak * unit / 1e6, 1)


def _before(phase: Phase) -> list[tuple[Phase, float]]:
    names = list(SHARES)
    return [(name, SHARES[name]) for name in names[: names.index(phase)]]

"""How a job tells of itself: its events, its status, a heartbeat, and the seconds per phase."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import resource
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mtlab.halving import Part
from mtlab.runs.events import EventLog
from mtlab.runs.files import read_json, write_json
from mtlab.runs.identity import start_mark
from mtlab.runs.status import Phase, State, Status

HEARTBEAT_SECONDS = 2.0
_OF_OTHERS = (".status.json", ".stop.json")
"""What other processes write, too: one of these may be on its way."""

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
        for torn in folder.rglob(".*.tmp"):  # of an attempt that was killed while it wrote
            if not torn.name.startswith(_OF_OTHERS):
                torn.unlink(missing_ok=True)
        self._lock = threading.RLock()
        self._done = threading.Event()
        self.measured: dict[str, dict[str, float]] = {}
        """What each phase took: seconds, the processor's too, and the largest size by then."""
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
        began, worked = time.monotonic(), time.process_time()
        try:
            yield
        finally:
            give_back_memory()
            with self._lock:
                took = time.monotonic() - began
                seconds = dict(self._status.seconds)
                seconds[name] = round(seconds.get(name, 0.0) + took, 3)
                self._status = self._status.with_changes(seconds=seconds)
                self.measured[name] = {
                    "seconds": round(took, 3),
                    "cpu_seconds": round(time.process_time() - worked, 3),
                    "peak_memory_mb": peak_memory_mb(),
                }

    def begin_again(self, halved: Part, text: str) -> None:
        """Declare that this process starts over with half the batch in one part; the last word.

        Raises:
            OSError: it cannot be written.
        """
        self._done.set()
        with self._lock:
            self._status = self._status.with_changes(
                halved=(*self._status.halved, halved), detail=text
            )
            self._write()
            self.log.append("note", text=text)

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
            if not self.folder.exists() or (written and written.get("token") != self._status.token):
                os._exit(3)
            # A full disk is for the pipeline to meet and to say.
            with contextlib.suppress(OSError), self._lock:
                if not self._done.is_set():
                    self._write(durable=False)

    def _write(self, *, durable: bool = True) -> None:
        self._status = self._status.with_changes(heartbeat=time.time(), memory_mb=peak_memory_mb())
        write_json(self.folder / "status.json", self._status.to_json(), durable=durable)


def give_back_memory() -> None:
    """Give what a phase no longer needs back to the system, so that the next does not add to it.

    A trainer and its model hold each other, and stay until they are looked for; and the C library
    keeps what was freed.
    """
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)  # of glibc alone


def peak_memory_mb() -> float:
    """The largest resident size of this process so far, in MB (10^6 bytes).

    On Linux from `VmHWM`: `ru_maxrss` begins with the size of whoever started the process.
    """
    with contextlib.suppress(OSError, ValueError, StopIteration):
        with open("/proc/self/status", encoding="ascii", errors="replace") as file:
            line = next(line for line in file if line.startswith("VmHWM:"))
        return round(int(line.split()[1]) * 1024 / 1e6, 1)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    unit = 1 if sys.platform == "darwin" else 1024
    return round(peak * unit / 1e6, 1)


def _before(phase: Phase) -> list[tuple[Phase, float]]:
    names = list(SHARES)
    return [(name, SHARES[name]) for name in names[: names.index(phase)]]

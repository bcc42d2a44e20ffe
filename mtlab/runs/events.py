"""The append-only log of a run: `events.jsonl`, numbered lines `{seq, time, kind, ...}`.

Kinds and what they carry:

    phase   phase                                           a phase begins
    step    step, steps, loss, learning_rate, tokens_per_second, memory_mb
    probe   step, steps, bleu, chrf, n, signature, directions: {"de-en": {bleu, chrf, n}}
    sample  step, direction, source, reference, hypothesis  three of them with every probe
    note    text                                            something a person should know
    error   what, why, fix
    end     state                                           the last line of an attempt

One process writes at a time: the job while it lives, the supervisor before and after. Of a run on a
cluster that is whoever watches the cluster.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mtlab.runs.files import append_line, parse_line


@dataclass(frozen=True)
class Event:
    """One line of the log; `data` is everything but its number, time and kind."""

    seq: int
    time: float
    kind: str
    data: dict[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.data[name]

    def get(self, name: str, default: Any = None) -> Any:
        """A field of the event, or `default`."""
        return self.data.get(name, default)

    def to_json(self) -> dict[str, Any]:
        """The event as one flat mapping, as it stands in the file."""
        return {"seq": self.seq, "time": self.time, "kind": self.kind, **self.data}


class EventLog:
    """The log at `path`: append to it, or read what came after a number.

    Reading keeps what was read, so that polling costs only what is new. A line counts once its
    newline is there; a torn line is passed over. Safe to use from several threads.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._events: list[Event] = []
        self._offset = 0
        self._inode: int | None = None

    def append(self, kind: str, **data: Any) -> Event:
        """Write one event and number it.

        Raises:
            OSError: the folder is gone or the disk is full; nothing, or a torn line that readers
                pass over, was written.
        """
        with self._lock:
            self._catch_up()
            last = self._events[-1].seq if self._events else 0
            event = Event(last + 1, round(time.time(), 3), kind, data)
            append_line(self.path, event.to_json())
            return event

    def extend(self, events: Iterable[Mapping[str, Any]]) -> int:
        """Take over lines of the same log that were numbered elsewhere; returns the last number.

        What is there already is passed over, and a line that would leave a gap ends it.

        Args:
            events: as `Event.to_json` gives them, in order.

        Raises:
            OSError: as `append`.
        """
        with self._lock:
            self._catch_up()
            last = self._events[-1].seq if self._events else 0
            for event in events:
                if event["seq"] > last + 1:
                    break
                if event["seq"] == last + 1:
                    append_line(self.path, event)
                    last += 1
            return last

    def read(self, after: int = 0) -> list[Event]:
        """The events numbered above `after`, in order; empty when there is no log."""
        with self._lock:
            self._catch_up()
            if not self._events or self._events[-1].seq <= after:
                return []
            if after <= 0:
                return list(self._events)
            # Numbers have no gaps in a sound log, so the place is known; a damaged one is searched.
            start = max(0, min(after, len(self._events)) - 1)
            while start > 0 and self._events[start].seq > after:
                start -= 1
            return [event for event in self._events[start:] if event.seq > after]

    def _catch_up(self) -> None:
        try:
            with open(self.path, "rb") as file:
                facts = os.fstat(file.fileno())
                if facts.st_ino != self._inode or facts.st_size < self._offset:
                    self._events, self._offset, self._inode = [], 0, facts.st_ino
                if facts.st_size == self._offset:
                    return
                file.seek(self._offset)
                data = file.read()
        except OSError:
            self._events, self._offset, self._inode = [], 0, None
            return
        whole, newline, _ = data.rpartition(b"\n")
        self._offset += len(whole) + len(newline)
        for line in whole.split(b"\n"):
            event = _event(line)
            if event is not None and (not self._events or event.seq > self._events[-1].seq):
                self._events.append(event)


def _event(line: bytes) -> Event | None:
    row = parse_line(line)
    if row is None:
        return None
    seq, when, kind = row.pop("seq", None), row.pop("time", 0.0), row.pop("kind", None)
    if not isinstance(seq, int) or not isinstance(kind, str) or not isinstance(when, int | float):
        return None
    try:
        return Event(seq, float(when), kind, row)
    except OverflowError:
        return None

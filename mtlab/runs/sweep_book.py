"""What was asked for as a sweep: a file per name below `home/sweeps`.

A sweep does not make again what the home has under another name, so that the group of a run does
not say all. The book says which runs stand for the steps of a sweep. The run folders stay the
truth: an id whose folder is gone counts for nothing, and a group without an entry is still a sweep.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mtlab.runs.files import writing
from mtlab.runs.store import RunRecord, RunStore
from mtlab.runs.sweep_entries import Entries, Entry

if TYPE_CHECKING:
    from mtlab.experiments import Experiment


@dataclass(frozen=True)
class SweepSummary:
    """A sweep of a home in numbers.

    Attributes:
        name: the group of its runs.
        title: a few words for people, where it has them.
        total: the runs it is made of; as many as there are where it was never written down.
        done: how many of these have finished.
        runs: all that a report on it is about, the oldest first.
        asked: when it was asked for last, in seconds since 1970.
    """

    name: str
    title: str
    total: int
    done: int
    runs: tuple[str, ...]
    asked: float

    def to_json(self) -> dict[str, Any]:
        """`{sweep, what, done, total, runs, asked}`."""
        return {
            "sweep": self.name,
            "what": self.title,
            "done": self.done,
            "total": self.total,
            "runs": list(self.runs),
            "asked": self.asked,
        }


class SweepBook:
    """The sweeps of one home. Any number of processes may write in it at once.

    Args:
        store: the home's runs.
    """

    def __init__(self, store: RunStore) -> None:
        self._store = store
        self._entries = Entries(store.settings.sweeps)

    def note(self, experiment: Experiment, runs: Sequence[str | None]) -> None:
        """Write down which runs stand for the steps of an experiment, as far as that is known.

        What was known before of the same experiment stays; what was asked for by its name before
        and is another experiment stays part of the group.

        Args:
            experiment: what was asked for.
            runs: ids, one for each of its steps; None where there is no run yet.

        Raises:
            NotAvailable: the home cannot be written.
        """
        definition = json.loads(json.dumps(experiment.to_json(), default=str))
        # The database's lock: between reading and writing nobody else may write.
        with self._store.database.transaction(), writing(self._store.settings.home):
            entry = Entry(experiment.name, definition, tuple(runs), asked=time.time())
            before = self._entries.named(experiment.name)
            self._entries.write(entry if before is None else entry.after(before))

    def take_in(self, entries: Iterable[Entry]) -> None:
        """Join sweeps that were written down elsewhere with those of this home.

        Raises:
            NotAvailable: the home cannot be written.
        """
        with self._store.database.transaction(), writing(self._store.settings.home):
            for entry in entries:
                self._entries.take_in(entry)

    def entries(self) -> list[Entry]:
        """Every sweep that was written down, the one asked for last first."""
        return self._entries.all()

    def runs(self, name: str) -> list[RunRecord]:
        """The runs of a group, those that a sweep by its name found elsewhere included."""
        entry = self._entries.named(name)
        ids = set() if entry is None else set(entry.ids)
        return [one for one in self._store.list() if one.spec.group == name or one.id in ids]

    def names(self) -> list[str]:
        """The names of all groups and sweeps."""
        groups = {record.spec.group for record in self._store.list() if record.spec.group}
        return sorted(groups | {entry.name for entry in self.entries()})

    def summaries(self) -> list[SweepSummary]:
        """Every sweep in numbers, the newest first."""
        groups: dict[str, list[str]] = {}
        for record in reversed(self._store.list()):
            if record.spec.group:
                groups.setdefault(record.spec.group, []).append(record.id)
        there = {record.id: self._finished(record.id) for record in self._store.list()}
        found = []
        for entry in self.entries():
            own = groups.pop(entry.name, [])
            runs = sorted({*own, *(run for run in entry.ids if run in there)})
            done = sum(there.get(run or "", False) for run in entry.runs)
            title = str(entry.experiment.get("title", ""))
            found.append(
                SweepSummary(entry.name, title, len(entry.runs), done, tuple(runs), entry.asked)
            )
        for name, own in groups.items():
            done = sum(there[run] for run in own)
            asked = self._created(own[-1])
            found.append(SweepSummary(name, "", len(own), done, tuple(own), asked))
        return sorted(found, key=lambda one: -one.asked)

    def _finished(self, run: str) -> bool:
        status = self._store.written_status(run)
        return status is not None and status.state == "finished"

    def _created(self, run: str) -> float:
        status = self._store.written_status(run)
        return status.created if status is not None else 0.0

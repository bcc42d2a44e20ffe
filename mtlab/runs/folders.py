"""What lies in `home/runs`, kept in memory and read again only where it changed.

A poll of several hundred runs costs a listing and a stat or two a run. Files are replaced as a
whole, so that another inode, size or time says that a file is another; of a folder whose time has
not changed nothing was replaced.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

from mtlab.errors import InputError
from mtlab.runs.files import FileMark, file_mark, read_json, write_json
from mtlab.runs.needs import ID
from mtlab.runs.status import Status
from mtlab.spec import RunSpec

_SETTLED_NS = 100_000_000
"""A folder's time tells nothing of a change in the very tick of the file system's clock."""


@dataclass(frozen=True)
class RunRecord:
    """A run as it was launched: what never changes about it."""

    id: str
    folder: Path
    spec: RunSpec

    @property
    def name(self) -> str:
        """The name a person gave it, else its id."""
        return self.spec.name or self.id


@dataclass(frozen=True)
class Glance:
    """What two looks at a run are compared by: its status and its scores, when `at` was seen."""

    at: int
    is_sure: bool
    status: Status | None
    scores: FileMark | None


class RunFolders:
    """The run folders below `path`. Any number of threads may use it at once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._text = str(path)
        self._records: dict[str, RunRecord] = {}
        self._statuses: dict[str, tuple[FileMark, Status]] = {}
        self._glances: dict[str, Glance] = {}

    def names(self) -> set[str]:
        """The ids of the runs that are there, readable or not."""
        try:
            return {name for name in os.listdir(self._text) if ID.fullmatch(name)}
        except OSError:
            return set()

    def record(self, run: str) -> RunRecord | None:
        """A run whose folder is known to be there; None where its spec cannot be read."""
        cached = self._records.get(run)
        if cached is not None:
            return cached
        folder = self._path / run
        data = read_json(folder / "spec.json")
        if data is None:
            return None
        try:
            record = RunRecord(run, folder, RunSpec.from_json(data))
        except InputError:
            return None
        self._records[run] = record
        return record

    def has(self, run: str) -> bool:
        """Whether a run's folder is there."""
        return os.path.isdir(f"{self._text}/{run}")

    def status(self, run: str) -> Status | None:
        """What a run's `status.json` says; None when it is gone or unreadable."""
        path = f"{self._text}/{run}/status.json"
        mark = file_mark(path)
        if mark is None:
            return None
        cached = self._statuses.get(run)
        if cached is not None and cached[0] == mark:
            return cached[1]
        try:
            status = Status.from_json(read_json(Path(path)) or {})
        except ValueError:
            return None
        self._statuses[run] = (mark, status)
        return status

    def write_status(self, run: str, status: Status, *, durable: bool = True) -> None:
        """Replace a run's `status.json` in one step.

        Raises:
            OSError: the folder is gone or the disk is full; the old status stays.
        """
        write_json(self._path / run / "status.json", status.to_json(), durable=durable)

    def glance(self, run: str) -> Glance | None:
        """A look at a run that costs one stat where nothing was replaced in its folder."""
        try:
            at = os.stat(f"{self._text}/{run}").st_mtime_ns
        except OSError:
            self._glances.pop(run, None)
            return None
        known = self._glances.get(run)
        if known is not None and known.is_sure and known.at == at:
            return known
        is_sure = time.time_ns() - at > _SETTLED_NS
        scores = file_mark(f"{self._text}/{run}/scores.json")
        found = Glance(at, is_sure, self.status(run), scores)
        self._glances[run] = found
        return found

    def forget(self, run: str) -> None:
        """Keep nothing of a run that was removed."""
        for kept in (self._records, self._statuses, self._glances):
            kept.pop(run, None)

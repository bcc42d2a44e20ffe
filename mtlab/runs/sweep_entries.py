"""What a sweep was asked for and which runs stand for it, as files: one for each name.

name        the group of its runs
asked       when it was asked for last, in seconds since 1970
experiment  as `Experiment.to_json` gives it
runs        the run that stands for each step; null while there is none
earlier     runs of what was asked for by this name before, and is not part of it now
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mtlab.runs.files import read_json, write_json

_LONGEST = 60


@dataclass(frozen=True)
class Entry:
    """A sweep as it was asked for last; see the module for its fields."""

    name: str
    experiment: Mapping[str, Any]
    runs: tuple[str | None, ...]
    earlier: tuple[str, ...] = ()
    asked: float = 0.0

    @property
    def ids(self) -> tuple[str, ...]:
        """Every run that was ever made or found for it."""
        return (*(run for run in self.runs if run is not None), *self.earlier)

    def after(self, before: Entry) -> Entry:
        """This entry, written where another of its name stood before: no run of either is lost.

        What was known before of the same experiment stays; the runs of another experiment, and
        those that others stand for now, become earlier ones.
        """
        runs = self.runs
        if before.experiment == self.experiment and len(before.runs) == len(runs):
            runs = tuple(run or old for run, old in zip(runs, before.runs, strict=True))
        known = dict.fromkeys((*self.ids, *before.ids))
        earlier = tuple(run for run in known if run not in runs)
        return Entry(self.name, self.experiment, runs, earlier, self.asked)

    def to_json(self) -> dict[str, Any]:
        """The entry as it stands in its file."""
        return {
            "name": self.name,
            "asked": self.asked,
            "experiment": dict(self.experiment),
            "runs": list(self.runs),
            "earlier": list(self.earlier),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Entry | None:
        """What `to_json` wrote; None where somebody wrote something else."""
        runs, earlier, experiment = (data.get(key) for key in ("runs", "earlier", "experiment"))
        if not isinstance(runs, list) or not isinstance(experiment, dict):
            return None
        if not isinstance(data.get("name"), str) or not isinstance(data.get("asked"), int | float):
            return None
        texts = tuple(run if isinstance(run, str) else None for run in runs)
        others = tuple(map(str, earlier)) if isinstance(earlier, list) else ()
        return cls(data["name"], experiment, texts, others, float(data["asked"]))


class Entries:
    """The entries of a folder. Who writes holds a lock where others may write as well.

    Args:
        folder: where they lie; made when the first is written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def all(self) -> list[Entry]:
        """Every entry, the one asked for last first."""
        found = (_read(path) for path in sorted(self.folder.glob("*.json")))
        return sorted((one for one in found if one is not None), key=lambda one: -one.asked)

    def named(self, name: str) -> Entry | None:
        """The entry of a name; None where there is none."""
        entry = _read(self._path(name))
        return entry if entry is not None and entry.name == name else None

    def write(self, entry: Entry) -> None:
        """Write an entry in the place of any other of its name.

        Raises:
            OSError: the folder cannot be written.
        """
        self.folder.mkdir(exist_ok=True)
        write_json(self._path(entry.name), entry.to_json())

    def take_in(self, entry: Entry) -> None:
        """Write what was written elsewhere, joined with what is here; of two the later counts.

        Raises:
            OSError: the folder cannot be written.
        """
        here = self.named(entry.name)
        if here is None:
            self.write(entry)
            return
        joined = here.after(entry) if here.asked >= entry.asked else entry.after(here)
        if joined != here:
            self.write(joined)

    def _path(self, name: str) -> Path:
        """A file name that any system takes, and no two names share."""
        plain = re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-")[:_LONGEST]
        return self.folder / f"{plain}-{hashlib.sha256(name.encode()).hexdigest()[:8]}.json"


def _read(path: Path) -> Entry | None:
    return Entry.from_json(read_json(path) or {})

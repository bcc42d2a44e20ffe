"""All runs of a home, read for people to look at; costs little when nothing has changed."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from mtlab.errors import MtlabError
from mtlab.results.lessons import recipe_of
from mtlab.results.reading import read_scores
from mtlab.results.seen import SeenRun, plain_scores
from mtlab.runs.store import RunRecord, RunStore
from mtlab.settings import Settings
from mtlab.spec import RunSpec

GLANCE_SECONDS = 0.5


@dataclass(frozen=True, eq=False)
class Snapshot:
    """Every run at one moment.

    Attributes:
        mark: another number as soon as anything a person would see has changed.
        runs: the newest first.
    """

    mark: int
    runs: tuple[SeenRun, ...]

    def run(self, run_id: str | None) -> SeenRun | None:
        """The run with this id; None when there is none."""
        return next((run for run in self.runs if run.id == run_id), None)

    @cached_property
    def queue(self) -> tuple[SeenRun, ...]:
        """The runs that wait, the next one first."""
        waiting = [run for run in self.runs if run.status.state == "queued"]
        return tuple(sorted(waiting, key=_place))

    def waits_for(self, run: SeenRun) -> tuple[SeenRun, ...]:
        """The runs that must finish before a queued one starts."""
        needed = (self.run(one) for one in run.status.needs)
        return tuple(one for one in needed if one and one.status.state != "finished")

    def place(self, run_id: str) -> int:
        """A run's place in the queue, from 1; 0 when it does not wait."""
        ids = [run.id for run in self.queue]
        return ids.index(run_id) + 1 if run_id in ids else 0


class Overview:
    """Looks at a home's runs for every visitor at once. Safe to use from several threads.

    Args:
        store: the home's runs.
    """

    def __init__(self, store: RunStore) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._recipes: dict[str, str] = {}
        self._mark = ""
        self._moving: list[object] = []
        self._last = Snapshot(0, ())
        self._looked = 0.0

    def glance(self) -> Snapshot:
        """The runs as they were at most `GLANCE_SECONDS` ago: one look serves many open pages."""
        recent = time.monotonic() - self._looked < GLANCE_SECONDS
        return self._last if recent else self.look()

    def look(self) -> Snapshot:
        """The runs as they are now; the same object while nothing has changed."""
        with self._lock:
            mark = self._store.mark()
            if mark != self._mark or self._moving != self._progress(self._last.runs):
                runs = tuple(filter(None, map(self._seen, self._store.list())))
                self._mark, self._moving = mark, self._progress(runs)
                self._last = Snapshot(self._last.mark + 1, runs)
            self._looked = time.monotonic()
            return self._last

    def _progress(self, runs: Iterable[SeenRun]) -> list[object]:
        """What a person sees move: how far the running ones are, which the store's mark omits."""
        statuses = [
            self._store.written_status(run.id) for run in runs if run.status.state == "running"
        ]
        return [(one.id, one.phase, int(100 * one.progress)) for one in statuses if one is not None]

    def _seen(self, record: RunRecord) -> SeenRun | None:
        try:
            status = self._store.status(record.id)
        except MtlabError:
            return None  # deleted meanwhile, or unreadable
        if record.id not in self._recipes:
            self._recipes[record.id] = _recipe(record.spec, self._store.settings)
        scores = plain_scores(read_scores(record.folder)["scores"]) if status.is_over else {}
        return SeenRun(record.id, record.spec, status, self._recipes[record.id], scores)


def _recipe(spec: RunSpec, settings: Settings) -> str:
    """What tells runs of one cell apart: the recipe, and what their noise is made with."""
    noise = [spec.noise.dictionary, spec.noise.terms, spec.noise.language]
    return recipe_of(spec, settings) + (json.dumps(noise) if spec.noise.active else "")


def _place(run: SeenRun) -> tuple[float, float]:
    """Where a run stands in the queue, as `lab.db` orders it."""
    status = run.status
    return -status.priority, status.created if status.queued is None else status.queued

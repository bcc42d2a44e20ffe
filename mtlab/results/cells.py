"""A cell of the matrix: the runs of one condition, over its seeds, as one value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from mtlab.results.filters import MEAN, Filters
from mtlab.results.labels import METRICS, digits
from mtlab.results.seen import SeenRun
from mtlab.runs.status import STATES, State

_TOLD_FIRST: tuple[State, ...] = ("failed", "interrupted", "stopped")


@dataclass(frozen=True)
class Cell:
    """The runs of one condition; without any, a place to launch one.

    Attributes:
        size: training pairs, or examples shown; None of a system that is not trained.
        runs: an id for each seed, by seed; of a seed that was run again, the one that counts.
        newest: of these, the newest; empty without any.
        states: how many seeds stand how, in the order of `STATES`.
        progress: 0 to 1, the mean over the running ones; None when none runs.
        value: the mean over the finished seeds; None before there is one, or without the metric.
        low: the least of the seeds.
        high: the largest of the seeds.
        directions: the tested directions that the value is the mean over.
        shade: 0 to 1, where the value lies among all of the matrix; None without a value.
        others: runs in the same place that have another recipe, or were run again since.
        words: the whole cell in words: "32 pairs, de-en, clean: BLEU 12.7, finished".
    """

    size: int | None
    runs: tuple[str, ...] = ()
    newest: str = ""
    states: tuple[tuple[State, int], ...] = ()
    progress: float | None = None
    value: float | None = None
    low: float | None = None
    high: float | None = None
    directions: tuple[str, ...] = ()
    shade: float | None = None
    others: int = 0
    words: str = ""

    @property
    def standing(self) -> str:
        """How it stands in a few words: `finished`, `2/3 seeds, 1 running 40%`."""
        counts = dict(self.states)
        seeds = sum(counts.values())
        if not seeds:
            return ""
        told = {
            state: f"{state} {self.progress:.0%}"
            if state == "running" and self.progress is not None
            else state
            for state in counts
        }
        if seeds == 1:
            return told[next(iter(counts))]
        done = counts.pop("finished", 0)
        parts = [f"{seeds} seeds" if done == seeds else f"{done}/{seeds} seeds"]
        return ", ".join([*parts, *(f"{n} {told[state]}" for state, n in counts.items())])

    @property
    def brief(self) -> str:
        """The same where there is little room: `1/3 seeds, 40%`, `2/3 seeds, 1 failed`."""
        counts = dict(self.states)
        if sum(counts.values()) < 2:
            return self.standing
        first = self.standing.split(", ")[0]
        if self.progress is not None:
            return f"{first}, {self.progress:.0%}"
        told = [f"{counts[state]} {state}" for state in _TOLD_FIRST if state in counts]
        return ", ".join([first, *told[:1]])


def cell_of(size: int | None, runs: Sequence[SeenRun], filters: Filters) -> Cell:
    """The cell of the runs in one place.

    Args:
        size: its column.
        runs: at least one, the newest first.
        filters: what its value is.
    """
    recipe = runs[0].recipe
    seeds: dict[int, list[SeenRun]] = {}
    for run in runs:
        if run.recipe == recipe:
            seeds.setdefault(run.spec.seed, []).append(run)
    counting = [_counts(again) for _, again in sorted(seeds.items())]
    finished = [done for again in seeds.values() if (done := _newest_finished(again)) is not None]
    running = [one.status.progress for one in counting if one.status.state == "running"]
    states = Counter(one.status.state for one in counting)
    directions = _directions(finished, filters)
    values = [
        value for run in finished if (value := run.value(filters.metric, directions)) is not None
    ]
    return Cell(
        size=size,
        runs=tuple(run.id for run in counting),
        newest=max(run.id for run in counting),
        states=tuple((state, states[state]) for state in STATES if states[state]),
        progress=sum(running) / len(running) if running else None,
        value=sum(values) / len(values) if values else None,
        low=min(values, default=None),
        high=max(values, default=None),
        directions=directions if values else (),
        others=len(runs) - len(counting),
    )


def worded(cell: Cell, place: str, filters: Filters) -> str:
    """A cell in words, after what names its place."""
    if not cell.runs:
        return f"Launch {place}"
    parts = []
    if cell.value is not None:
        parts.append(f"{METRICS[filters.metric]} {cell.value:.{digits(filters.metric)}f}")
    parts.append(cell.standing)
    if cell.others:
        parts.append(f"and {cell.others} more of other settings or run before")
    return f"{place}: {', '.join(parts)}"


def _newest_finished(again: Sequence[SeenRun]) -> SeenRun | None:
    return next((run for run in again if run.status.state == "finished"), None)


def _counts(again: Sequence[SeenRun]) -> SeenRun:
    """Of the runs of one seed, newest first: a live newest one, else a finished one, else it."""
    newest = again[0]
    if not newest.status.is_over:
        return newest
    return _newest_finished(again) or newest


def _directions(finished: Sequence[SeenRun], filters: Filters) -> tuple[str, ...]:
    """The directions a value is over: the one chosen, or those that all finished seeds have."""
    if filters.direction != MEAN:
        return (filters.direction,)
    scored = [run.scored(filters.metric) for run in finished]
    return tuple(one for one in scored[0] if all(one in each for each in scored)) if scored else ()

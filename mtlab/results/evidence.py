"""Finished runs as evidence: what comparisons and findings read, and nothing else of a run."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mtlab.errors import InputError
from mtlab.results.labels import GATED_COMET
from mtlab.results.reading import read_segments, translations_path
from mtlab.scoring.bootstrap import Floats
from mtlab.scoring.failures import FAILURES
from mtlab.scoring.lexical import lexical_statistics, segment_scores
from mtlab.scoring.statistics import SegmentStatistics, mean_statistics
from mtlab.spec import Direction, RunSpec


@dataclass(frozen=True)
class Evidence:
    """A run that others are compared with.

    Attributes:
        id: the run's.
        spec: complete.
        folder: the run's.
    """

    id: str
    spec: RunSpec
    folder: Path = field(compare=False)


@dataclass(frozen=True)
class Segments:
    """One direction's test segments and what a run, or its untuned base, made of them.

    Attributes:
        sources: one per segment.
        references: one per segment.
        hypotheses: one per segment.
        failures: per segment the names of its failures; None before they were looked for.
        languages: per segment the language it is in where it is the wrong one, else None.
        scores: per metric a score per segment, as written by the run.
    """

    sources: tuple[str, ...]
    references: tuple[str, ...]
    hypotheses: tuple[str, ...]
    failures: tuple[tuple[str, ...], ...] | None
    languages: tuple[str | None, ...]
    scores: Mapping[str, tuple[float, ...]]

    def failed(self, name: str) -> Floats | None:
        """Whether each segment has a failure, 0 or 1, shape (n,); None before they were sought."""
        if self.failures is None:
            return None
        return np.array([name in flags for flags in self.failures], dtype=np.float64)

    def at(self, places: Iterable[int]) -> Segments:
        """The segments at some places, in the order of the places."""
        chosen = list(places)

        def taken(values: tuple[Any, ...]) -> tuple[Any, ...]:
            return tuple(values[place] for place in chosen)

        return Segments(
            sources=taken(self.sources),
            references=taken(self.references),
            hypotheses=taken(self.hypotheses),
            failures=None if self.failures is None else taken(self.failures),
            languages=taken(self.languages),
            scores={metric: taken(values) for metric, values in self.scores.items()},
        )


class Reader:
    """Reads translations and counts their n-grams, each once however many comparisons ask.

    A file that has changed is read again. Any number of threads may ask at once.

    Args:
        most: how many tables of texts, of counts and of segment scores it keeps together, those
            asked for last; None keeps all.
    """

    def __init__(self, most: int | None = None) -> None:
        self._most = most
        self._kept: OrderedDict[tuple[Any, ...], Any] = OrderedDict()
        self._lock = threading.Lock()

    def segments(self, run: Evidence, direction: Direction, *, untuned: bool = False) -> Segments:
        """What a run made of a direction.

        Args:
            run: the run.
            direction: one that it tested.
            untuned: its untuned base's translations in place of its own.

        Raises:
            InputError: there are none, or not of every segment.
        """
        key = ("segments", stamp(run, direction), untuned)
        found: Segments = self._once(key, lambda: _read(run, direction, untuned))
        return found

    def statistics(
        self, run: Evidence, direction: Direction, metric: str, *, untuned: bool = False
    ) -> SegmentStatistics:
        """What each segment adds to a run's score.

        Args:
            run: the run.
            direction: one that it tested.
            metric: `bleu` or `chrf`, counted from the texts; `comet`, from the segment scores the
                run wrote; `gated-comet`, from these with each failed segment counted zero; or the
                name of a failure, whose share of segments is the score.
            untuned: its untuned base in place of the run.

        Raises:
            InputError: the run has no translations, no such scores, or failures were not sought.
        """

        def count() -> SegmentStatistics:
            segments = self.segments(run, direction, untuned=untuned)
            return _count(segments, run, direction, metric)

        key = ("statistics", stamp(run, direction), untuned, metric)
        found: SegmentStatistics = self._once(key, count)
        return found

    def segment_scores(
        self, run: Evidence, direction: Direction, metric: str, *, untuned: bool = False
    ) -> Floats:
        """A score for each segment, shape (n,): as the run wrote them, or counted from the texts.

        Args:
            run: the run.
            direction: one that it tested.
            metric: `bleu` or `chrf`, sentence by sentence (`lexical.segment_scores`), or `comet`.
            untuned: its untuned base in place of the run.

        Raises:
            InputError: as `statistics`.
        """

        def score() -> Floats:
            written = self.segments(run, direction, untuned=untuned).scores.get(metric)
            if written is not None:
                return np.asarray(written, dtype=np.float64)
            counted = self.statistics(run, direction, metric, untuned=untuned)
            return segment_scores(counted) if metric in ("bleu", "chrf") else counted.rows[:, 0]

        key = ("segment scores", stamp(run, direction), untuned, metric)
        found: Floats = self._once(key, score)
        return found

    def _once(self, key: tuple[Any, ...], make: Callable[[], Any]) -> Any:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        value = make()  # two threads may both make it; neither waits for the other's file
        with self._lock:
            self._kept[key] = value
            while self._most is not None and len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return value


def stamp(run: Evidence, direction: Direction) -> tuple[str, str, int, int]:
    """What changes when a run's translations of a direction do; zeros where there are none."""
    try:
        found = translations_path(run.folder, direction).stat()
    except OSError:
        return run.id, str(direction), 0, 0
    return run.id, str(direction), found.st_mtime_ns, found.st_size


def _read(run: Evidence, direction: Direction, untuned: bool) -> Segments:
    rows = read_segments(run.folder, direction)
    name, prefix = ("base", "base_") if untuned else ("hypothesis", "")
    flags = f"{prefix}failures"
    if not rows or any(row.get(name) is None for row in rows):
        whose = "its untuned base's" if untuned else "its"
        raise InputError(
            f"run {run.id} has not all of {whose} translations for {direction}",
            field="run",
            fix="score the base too (score_base)" if untuned else "wait until it has finished",
        )
    sought = all(row.get(flags) is not None for row in rows)
    return Segments(
        sources=tuple(row["source"] for row in rows),
        references=tuple(row["reference"] for row in rows),
        hypotheses=tuple(row[name] for row in rows),
        failures=tuple(tuple(row[flags]) for row in rows) if sought else None,
        languages=tuple(row.get(f"{prefix}language") for row in rows),
        scores=_scores(rows, f"{prefix}scores"),
    )


def _scores(rows: list[dict[str, Any]], field_name: str) -> dict[str, tuple[float, ...]]:
    first = rows[0].get(field_name) or {}
    return {
        metric: tuple(float(row[field_name][metric]) for row in rows)
        for metric in first
        if all(metric in (row.get(field_name) or {}) for row in rows)
    }


def _count(
    segments: Segments, run: Evidence, direction: Direction, metric: str
) -> SegmentStatistics:
    if metric in ("bleu", "chrf"):
        return lexical_statistics(
            metric, segments.references, segments.hypotheses, direction.target
        )
    if metric in FAILURES:
        failed = segments.failed(metric)
        if failed is not None:
            return mean_statistics(metric, failed)
    elif metric == GATED_COMET:
        if "comet" in segments.scores and segments.failures is not None:
            return mean_statistics(metric, _zeroed(segments.scores["comet"], segments.failures))
    elif metric in segments.scores:
        return mean_statistics(metric, segments.scores[metric])
    raise InputError(
        f"run {run.id} has no '{metric}' for the segments of {direction}",
        field="metric",
        fix="compare by bleu or chrf, or run it again with this metric",
    )


def _zeroed(scores: Sequence[float], failures: Sequence[Sequence[str]]) -> list[float]:
    return [0.0 if flags else score for score, flags in zip(scores, failures, strict=True)]

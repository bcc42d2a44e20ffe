"""Finished runs as evidence: what comparisons and findings read, and nothing else of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mtlab.errors import InputError
from mtlab.results.reading import read_segments
from mtlab.scoring.bootstrap import Floats
from mtlab.scoring.failures import FAILURES
from mtlab.scoring.lexical import lexical_statistics
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
        scores: per metric a score per segment, as written by the run.
    """

    sources: tuple[str, ...]
    references: tuple[str, ...]
    hypotheses: tuple[str, ...]
    failures: tuple[tuple[str, ...], ...] | None
    scores: Mapping[str, tuple[float, ...]]

    def failed(self, name: str) -> Floats | None:
        """Whether each segment has a failure, 0 or 1, shape (n,); None before they were sought."""
        if self.failures is None:
            return None
        return np.array([name in flags for flags in self.failures], dtype=np.float64)


class Reader:
    """Reads translations and counts their n-grams, each once however many comparisons ask."""

    def __init__(self) -> None:
        self._segments: dict[tuple[str, str, bool], Segments] = {}
        self._statistics: dict[tuple[str, str, bool, str], SegmentStatistics] = {}

    def segments(self, run: Evidence, direction: Direction, *, untuned: bool = False) -> Segments:
        """What a run made of a direction.

        Args:
            run: the run.
            direction: one that it tested.
            untuned: its untuned base's translations in place of its own.

        Raises:
            InputError: there are none, or not of every segment.
        """
        key = (run.id, str(direction), untuned)
        if key not in self._segments:
            self._segments[key] = _read(run, direction, untuned)
        return self._segments[key]

    def statistics(
        self, run: Evidence, direction: Direction, metric: str, *, untuned: bool = False
    ) -> SegmentStatistics:
        """What each segment adds to a run's score.

        Args:
            run: the run.
            direction: one that it tested.
            metric: `bleu` or `chrf`, counted from the texts; `comet`, from the segment scores the
                run wrote; or the name of a failure, whose share of segments is the score.
            untuned: its untuned base in place of the run.

        Raises:
            InputError: the run has no translations, no such scores, or failures were not sought.
        """
        key = (run.id, str(direction), untuned, metric)
        if key not in self._statistics:
            segments = self.segments(run, direction, untuned=untuned)
            self._statistics[key] = _count(segments, run, direction, metric)
        return self._statistics[key]


def _read(run: Evidence, direction: Direction, untuned: bool) -> Segments:
    rows = read_segments(run.folder, direction)
    name, flags, scores = (
        ("base", "base_failures", "base_scores")
        if untuned
        else ("hypothesis", "failures", "scores")
    )
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
        scores=_scores(rows, scores),
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
    elif metric in segments.scores:
        return mean_statistics(metric, segments.scores[metric])
    raise InputError(
        f"run {run.id} has no '{metric}' for the segments of {direction}",
        field="metric",
        fix="compare by bleu or chrf, or run it again with this metric",
    )

"""A run as the matrix, the queue and the list of runs see it: a value, read once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mtlab.runs.status import Status
from mtlab.spec import RunSpec

DirectionScores = Mapping[str, Mapping[str, float]]
"""Scores by direction and metric."""


@dataclass(frozen=True)
class SeenRun:
    """One run at one moment.

    Attributes:
        id: the run's.
        spec: complete.
        status: how it stands.
        recipe: all that was chosen and that no filter, panel, row or column of the matrix shows;
            runs that agree in both differ in their seed alone.
        scores: by direction and metric; empty before there are any.
    """

    id: str
    spec: RunSpec
    status: Status
    recipe: str = ""
    scores: DirectionScores = field(default_factory=dict)

    @property
    def trains(self) -> bool:
        """Whether its base is changed at all."""
        return self.spec.training.trains

    @property
    def test_corpus(self) -> str:
        """Where its test segments come from."""
        return self.spec.test_corpus or self.spec.corpus

    def value(self, metric: str, directions: tuple[str, ...]) -> float | None:
        """The mean of a metric over some directions; None where it lacks one of them."""
        values = [self.scores.get(one, {}).get(metric) for one in directions]
        known = [value for value in values if value is not None]
        return sum(known) / len(known) if known and len(known) == len(values) else None

    def scored(self, metric: str) -> tuple[str, ...]:
        """The directions that have this metric, in the order tested."""
        return tuple(one for one, metrics in self.scores.items() if metric in metrics)


def plain_scores(scores: Mapping[str, Any]) -> DirectionScores:
    """The numbers of `scores.json`'s part `scores`, without failures and what is not available."""
    return {
        direction: {
            metric: float(score["value"])
            for metric, score in values.items()
            if isinstance(score, Mapping) and isinstance(score.get("value"), int | float)
        }
        for direction, values in scores.items()
    }

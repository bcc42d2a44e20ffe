"""A comparison of two systems, or of two conditions of an experiment, as a value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from mtlab.scoring.agreement import Agreement
from mtlab.scoring.values import Unavailable

LEVEL = 0.05
"""A corrected p-value under this is called a difference, if the interval agrees."""

NOTHING_FOUND = "no difference found"


@dataclass(frozen=True)
class Comparison:
    """A system against a baseline under one metric.

    Attributes:
        metric: `bleu`, `chrf`, `comet`, or the name of a failure (its share of segments, 0 to 1).
        baseline: its name.
        system: its name.
        baseline_value: its corpus score; the mean over its seeds where there are several.
        system_value: likewise.
        difference: `system_value - baseline_value`.
        low: lower end of the 95% bootstrap interval of the difference; None where there is none.
        high: upper end of it. Not widened for how many comparisons there are.
        p_value: by the rule that the signature names; None where nothing can be resampled.
        p_corrected: the p-value after Holm's correction over all `compared`.
        compared: how many comparisons it was corrected for, itself included.
        n: number of segments.
        seeds: number of training seeds; the smaller one if the two sides differ. 0 for systems of
            which no seed is known.
        signature: how it was resampled.
        seed: seed of the resampling; None if drawn from the system.
        meaning: how often people agree with such a difference, or why that is not known.
        notes: what a reader should know.
    """

    metric: str
    baseline: str
    system: str
    baseline_value: float
    system_value: float
    difference: float
    low: float | None
    high: float | None
    p_value: float | None
    n: int
    signature: str
    seed: int | None
    meaning: Agreement | Unavailable
    p_corrected: float | None = None
    compared: int = 1
    seeds: int = 0
    notes: tuple[str, ...] = ()

    @property
    def found(self) -> bool:
        """Whether there is a difference to speak of: both p and interval have to say so."""
        if self.p_corrected is None or self.low is None or self.high is None:
            return False
        return self.p_corrected < LEVEL and (self.low > 0 or self.high < 0)

    @property
    def verdict(self) -> str:
        """`higher`, `lower`, `no difference found` or `not tested`."""
        if self.p_corrected is None:
            return "not tested"
        if not self.found:
            return NOTHING_FOUND
        return "higher" if self.difference > 0 else "lower"

    def to_json(self) -> dict[str, Any]:
        """Every attribute and the verdict, as plain values."""
        return {
            "metric": self.metric,
            "baseline": self.baseline,
            "system": self.system,
            "baseline_value": self.baseline_value,
            "system_value": self.system_value,
            "difference": self.difference,
            "low": self.low,
            "high": self.high,
            "p_value": self.p_value,
            "p_corrected": self.p_corrected,
            "compared": self.compared,
            "verdict": self.verdict,
            "n": self.n,
            "seeds": self.seeds,
            "signature": self.signature,
            "seed": self.seed,
            "meaning": self.meaning.to_json(),
            "notes": list(self.notes),
        }


def holm(p_values: Sequence[float]) -> list[float]:
    """Correct p-values for how many there are; the chance of any false find stays at its level.

    Holm, "A Simple Sequentially Rejective Multiple Test Procedure", Scandinavian Journal of
    Statistics 6 (1979): the smallest of m p-values is multiplied by m, the next by m - 1, and so
    on; none may be smaller than one before it, or larger than 1.

    Args:
        p_values: in any order.

    Returns:
        The corrected values, in the order given.
    """
    corrected = [0.0] * len(p_values)
    largest = 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[place]))
        corrected[place] = largest
    return corrected


def corrected(comparisons: Sequence[Comparison]) -> tuple[Comparison, ...]:
    """The same comparisons, corrected together; those without a p-value do not count."""
    values = holm([one.p_value for one in comparisons if one.p_value is not None])
    rest = iter(values)
    return tuple(
        one if one.p_value is None else replace(one, p_corrected=next(rest), compared=len(values))
        for one in comparisons
    )

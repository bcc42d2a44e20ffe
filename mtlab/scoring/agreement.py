"""What a difference between two systems' scores means to people.

Kocmi, Zouhar, Federmann and Post, "Navigating the Metrics Maze: Reconciling Score Magnitudes and
Accuracies" (ACL 2024, arXiv 2401.06760), asked over thousands of pairs of systems how often people
prefer the system that a metric prefers, by the size of the metric's difference. They publish, per
metric, a curve `a / (1 + exp(-b * difference))`; its parameters are those of their own tool,
mt-thresholds 1.0.4 on PyPI (github.com/kocmitom/MT-Thresholds). Tests hold the curves against the
table in their paper.

What the curves do not know: how large the test set is, how sure the difference is (that is the
interval's to say), and systems far worse than those people use. Of a bundled 6.7 M-parameter model
they say what such a difference means between ordinary systems, no more.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from mtlab.scoring.comet_status import DEFAULT_MODEL
from mtlab.scoring.values import Unavailable

SOURCE = "Kocmi et al. 2024, arXiv 2401.06760, mt-thresholds 1.0.4"

COIN_TOSS = 0.5


@dataclass(frozen=True)
class Curve:
    """One metric's curve.

    Attributes:
        most: the share of agreement it rises to, in percent (`a`).
        slope: how fast it rises per point of difference (`b`).
        scale: points of the curve per point of our score: they count COMET from 0 to 100.
    """

    most: float
    slope: float
    scale: float = 1.0


CURVES = {
    "bleu": Curve(88.33333333333225, 0.9663926931178954),
    "chrf": Curve(92.999999999972, 1.1142732157139852),
    "comet": Curve(96.22374133884283, 2.8359194570556636, scale=100.0),
}
"""For sacrebleu's BLEU (their tokenizers are by language, as ours), chrF2 and wmt22-comet-da."""


@dataclass(frozen=True)
class Agreement:
    """How often people prefer the system that the metric prefers, at a difference of this size.

    Attributes:
        accuracy: the share of system pairs, 0 to 1. Under 0.5 the difference says nothing.
        source: where the curve comes from.
    """

    accuracy: float
    source: str = SOURCE

    def sentence(self) -> str:
        """It in words."""
        if self.accuracy <= COIN_TOSS:
            return "people see no more in such a difference than in a coin toss"
        return f"people agree with such a difference in about {self.accuracy:.0%} of system pairs"

    def to_json(self) -> dict[str, Any]:
        """`{accuracy, source}`."""
        return {"accuracy": self.accuracy, "source": self.source}


def agreement(
    metric: str, difference: float, comet_model: str = DEFAULT_MODEL
) -> Agreement | Unavailable:
    """What people make of a difference, or why that is not known.

    Args:
        metric: `bleu`, `chrf` or `comet`, on our scale; another has no curve here.
        difference: between two systems' corpus scores; its sign does not matter.
        comet_model: the COMET model; the published curve is that of wmt22-comet-da alone.
    """
    curve = CURVES.get(metric)
    if curve is None:
        why = f"no curve is published for '{metric}'"
        return Unavailable(metric, why, "read the difference beside BLEU, chrF or COMET")
    if metric == "comet" and comet_model != DEFAULT_MODEL:
        why = f"no curve is known here for the COMET model '{comet_model}'"
        return Unavailable(metric, why, f"score with {DEFAULT_MODEL}")
    points = abs(difference) * curve.scale
    return Agreement(curve.most / 100 / (1 + math.exp(-curve.slope * points)))

"""The pieces that sentences of findings are put together from.

The caution is in the verbs: "lowers" stands only where `Comparison.found`; everything else is "no
difference found" with the interval that says what may have been missed, or "not tested".
"""

from __future__ import annotations

from mtlab.results.answer import Answer
from mtlab.results.conditions import Condition
from mtlab.results.labels import GATED_COMET, METRICS, base_label
from mtlab.scoring.comparison import Comparison

_OFF_TARGET = {"off-target": "off-target output"}


def claim(answer: Answer, what: str, score: str, against: str = "") -> str:
    """Either WHAT lowers SCORE by 4.1 (...), or WHAT: no difference found in SCORE (...)."""
    comparison = answer.comparison
    if not comparison.found:
        where = f" in {score}" if comparison.p_corrected is not None else f": {score}"
        return f"{what}: {comparison.verdict}{where} {uncertainty(comparison)}"
    verb = "raises" if comparison.difference > 0 else "lowers"
    size = number(comparison, abs(comparison.difference))
    against = f" {against}" if against else ""
    return f"{what} {verb} {score} by {size}{against} {certainty(comparison)}"


def certainty(comparison: Comparison) -> str:
    """The interval of the size of a difference: ends turned round where it is a fall."""
    assert comparison.low is not None and comparison.high is not None
    ends = sorted((abs(comparison.low), abs(comparison.high)))
    low, high = (number(comparison, end) for end in ends)
    return f"(95% interval {low} to {high}, {seeds(comparison)})"


def uncertainty(comparison: Comparison) -> str:
    """The difference with its sign, the interval, and the correction where that decided."""
    size = number(comparison, comparison.difference, signed=True)
    if comparison.low is None or comparison.high is None or comparison.p_corrected is None:
        return f"({size}; {'; '.join(comparison.notes) or seeds(comparison)})"
    low, high = (number(comparison, end, signed=True) for end in (comparison.low, comparison.high))
    text = f"{size}, 95% interval {low} to {high}, {seeds(comparison)}"
    if comparison.low > 0 or comparison.high < 0:
        text += f", p {comparison.p_corrected:.2f} corrected for {comparison.compared} comparisons"
    return f"({text})"


def number(comparison: Comparison, value: float, *, signed: bool = False) -> str:
    """A score to the digits of its metric; a share as points of a hundred."""
    digits = {"bleu": 1, "chrf": 1, "comet": 3, GATED_COMET: 3}.get(comparison.metric)
    rounded = round(value * 100) if digits is None else round(value, digits)
    rounded += 0.0  # no minus before a zero
    return f"{rounded:+.{digits or 0}f}" if signed else f"{rounded:.{digits or 0}f}"


def points(comparison: Comparison) -> str:
    """A difference between shares: 85 points less (...), or no difference found (...)."""
    if not comparison.found:
        return f"{comparison.verdict} {uncertainty(comparison)}"
    more = "more" if comparison.difference > 0 else "less"
    return f"{abs(comparison.difference) * 100:.0f} points {more} {certainty(comparison)}"


def seeds(comparison: Comparison) -> str:
    """Over how many seeds: `3 seeds`; of systems that have none, over how many segments."""
    if comparison.seeds == 0:
        return f"{comparison.n:,} segments"
    return "1 seed" if comparison.seeds == 1 else f"{comparison.seeds} seeds"


def noise_words(one: Condition) -> str:
    """`target-side word noise in 50% of pairs`."""
    assert one.noise is not None
    ratio = f" in {one.noise.ratio:.0%} of pairs" if one.noise.ratio < 1 else ""
    sides = "two-sided" if one.noise.side == "both" else f"{one.noise.side}-side"
    return f"{sides} {one.noise.kind} noise{ratio}"


def amount(one: Condition) -> str:
    """`32 pairs`, `3 examples`, `not trained`."""
    return one.amount.removesuffix(" shown")


def given(one: Condition, *without: str) -> str:
    """What the two sides share, for brackets: `32 pairs, de-en alone`, and the noise if any.

    Args:
        one: either side's condition.
        without: paths of what is compared, and so is said elsewhere; `noise` for the noise.
    """
    parts = [amount(one)]
    if one.train:
        parts.append(one.trained_on_but(*without))
    return ", ".join([*parts, *noise_part(one, *without)])


def noise_part(one: Condition, *without: str) -> list[str]:
    """The noise of a condition, if it has any and it is not what is compared."""
    return [noise_words(one)] if one.noise is not None and "noise" not in without else []


def owner(base: str) -> str:
    """`nano's`."""
    return f"{base_label(base)}'s"


def score(answer: Answer) -> str:
    """`nano's de-en BLEU`; of several directions, their mean."""
    question = answer.question
    whose = owner(question.system.condition.base)
    if len(question.weights) > 1:
        return f"{whose} {metric_name(answer)}, mean of {len(question.weights)} directions,"
    return f"{whose} {question.direction} {metric_name(answer)}"


def metric_name(answer: Answer) -> str:
    """The metric as people write it."""
    return metric_label(answer.question.metric)


def metric_label(metric: str) -> str:
    """A metric, or off-target output, as people write it."""
    return (METRICS | _OFF_TARGET)[metric]

"""Findings in words. A sentence says what was compared, by how much, how sure, over how many seeds.

    Target-side word noise (256 pairs, de-en alone) lowers nano's de-en BLEU by 4.1
    (95% interval 3.2 to 5.0, 3 seeds); off-target output explains 1.2 of it.
    Going from 32 to 1,024 pairs (6 directions): no difference found in nano's de-en BLEU
    (+0.3, 95% interval -0.4 to +1.1, 3 seeds).

The caution is in the verbs: "lowers" stands only where `Comparison.found`; everything else is "no
difference found" with the interval that says what may have been missed, or "not tested".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mtlab.results.conditions import Condition
from mtlab.results.labels import METRICS, base_label
from mtlab.results.questions import Question
from mtlab.scoring.comparison import Comparison

_OFF_TARGET = {"off-target": "off-target output"}

WORTH_SAYING = 0.05
"""A share of off-target output from which a sentence mentions it."""


@dataclass(frozen=True)
class Share:
    """How much of a difference off-target output explains, and on how many segments that rests."""

    explained: float
    kept: int
    n: int


@dataclass(frozen=True)
class Transfer:
    """What share of a score is kept, with its 95% interval; 1 is all of it."""

    ratio: float
    low: float
    high: float


@dataclass(frozen=True)
class Answer:
    """A question, its corrected comparison, and what else its sentence may tell.

    Attributes:
        question: what was asked.
        comparison: what came out.
        off_target: share of off-target output of baseline and system, 0 to 1; None if not sought.
        explained: what off-target output explains, where that can be said.
        transfer: the share kept, where that was asked.
        heights: the baseline's score in each of two directions, where those were held together.
    """

    question: Question
    comparison: Comparison
    off_target: tuple[float, float] | None = None
    explained: Share | None = None
    transfer: Transfer | None = None
    heights: tuple[float, float] | None = None

    @property
    def more(self) -> dict[str, float]:
        """The numbers beside the comparison's own."""
        more = {}
        if self.off_target is not None:
            more["baseline_off_target"], more["system_off_target"] = self.off_target
        if self.explained is not None:
            more["explained"] = self.explained.explained
            more["on_target_segments"] = float(self.explained.kept)
        if self.transfer is not None:
            more["ratio"] = self.transfer.ratio
            more["ratio_low"], more["ratio_high"] = self.transfer.low, self.transfer.high
        if self.heights is not None:
            more["first_baseline"], more["second_baseline"] = self.heights
        return more


def sentence(answer: Answer) -> str:
    """The finding in one sentence, with its full stop."""
    text = _WORDS[answer.question.topic](answer).strip()
    return f"{text[0].upper()}{text[1:]}."


def _untuned(answer: Answer) -> str:
    one = answer.question.system.condition
    what = f"fine-tuning on {_size(one)} ({one.trained_on})"
    if not one.train:
        what = f"showing {_size(one)}"
    return _claim(answer, what, _score(answer), "over the untuned model")


def _bases(answer: Answer) -> str:
    one, other = answer.question.baseline.condition, answer.question.system.condition
    what = f"starting from {other.base} in place of {one.base} ({_pairs(one)})"
    if not one.train:
        what = f"{base_label(other.base)} in place of {base_label(one.base)} ({one.amount})"
    return _claim(answer, what, f"{answer.question.direction} {_metric(answer)}")


def _step(answer: Answer) -> str:
    one, other = answer.question.baseline.condition, answer.question.system.condition
    what = f"going from {one.size:,} to {other.size:,} pairs ({_where(one)})"
    if not one.train:
        what = f"going from {one.size:,} to {_size(other)} shown"
    return _claim(answer, what, _score(answer))


def _fewer(answer: Answer) -> str:
    one, other = answer.question.baseline.condition, answer.question.system.condition
    what = f"training on {other.trained_on} in place of {one.trained_on} ({_size(one)})"
    return _claim(answer, what, _score(answer)) + _also_off_target(answer)


def _transfer(answer: Answer) -> str:
    one, other = answer.question.baseline.condition, answer.question.system.condition
    count = len(answer.question.weights)
    if answer.transfer is None:
        what = f"training on {other.trained_on} in place of {one.trained_on} ({_size(one)})"
        return _claim(
            answer, what, f"{_owner(other.base)} {_metric(answer)} over {count} other directions"
        )
    kept = answer.transfer
    text = (
        f"trained on {other.trained_on} ({_size(one)}), {other.base} keeps {kept.ratio:.0%} "
        f"(95% interval {kept.low:.0%} to {kept.high:.0%}, {_seeds(answer.comparison)}) of the "
        f"{_metric(answer)} that training on {one.trained_on} gives, over the {count} other "
        "directions"
    )
    return text if answer.comparison.found else f"{text}: {answer.comparison.verdict}"


def _derailing(answer: Answer) -> str:
    question, comparison = answer.question, answer.comparison
    one, other = question.baseline.condition, question.system.condition
    text = (
        f"with English as the only target ({other.trained_on}, {_size(other)}), "
        f"{comparison.system_value:.0%} of {_owner(other.base)} {question.direction} output is in "
        f"another language than asked for, against {comparison.baseline_value:.0%} after "
        f"{one.trained_on}"
    )
    if comparison.found:
        more = "more" if comparison.difference > 0 else "less"
        size = f"{abs(comparison.difference) * 100:.0f} points {more}"
        return f"{text}: {size} {_certainty(comparison)}"
    return f"{text}: {comparison.verdict} {_uncertainty(comparison)}"


def _against_clean(answer: Answer) -> str:
    one = answer.question.system.condition
    what = f"{_noise(one)} ({_pairs(one)})"
    return _claim(answer, what, _score(answer)) + _explained(answer)


def _sides(answer: Answer) -> str:
    one = answer.question.system.condition
    assert one.noise is not None
    what = f"{one.noise.kind} noise on the target side in place of the source side ({_pairs(one)})"
    return _claim(answer, what, _score(answer))


def _hardly_seen(answer: Answer) -> str:
    question, comparison = answer.question, answer.comparison
    one = question.system.condition
    (well, _), (rare, _) = question.weights
    apart = "each trained alone" if question.system.apart else one.trained_on
    trained = f"({_size(one)}, {apart})"
    if not comparison.found:
        return (
            f"{_noise(one)} {trained}, {well} against {rare}: {comparison.verdict} in what it "
            f"costs {one.base} in {_metric(answer)} {_uncertainty(comparison)}"
        )
    # The difference is what noise adds to the gap between the two: under zero, `well` lost more.
    loser, other = (well, rare) if comparison.difference < 0 else (rare, well)
    size = _number(comparison, abs(comparison.difference))
    text = (
        f"{_noise(one)} {trained} costs {_owner(one.base)} {loser} {size} {_metric(answer)} more "
        f"than {other} {_certainty(comparison)}"
    )
    if answer.heights is None:
        return text
    clean = " and ".join(_number(comparison, height) for height in answer.heights)
    return f"{text}; clean, {well} and {rare} score {clean}"


_WORDS: dict[str, Callable[[Answer], str]] = {
    "untuned": _untuned,
    "bases": _bases,
    "step": _step,
    "to the largest": _step,
    "fewer": _fewer,
    "transfer": _transfer,
    "derailing": _derailing,
    "against clean": _against_clean,
    "sides": _sides,
    "hardly seen": _hardly_seen,
}


def _claim(answer: Answer, what: str, score: str, against: str = "") -> str:
    """Either WHAT lowers SCORE by 4.1 (...), or WHAT: no difference found in SCORE (...)."""
    comparison = answer.comparison
    if not comparison.found:
        where = f" in {score}" if comparison.p_corrected is not None else f": {score}"
        return f"{what}: {comparison.verdict}{where} {_uncertainty(comparison)}"
    verb = "raises" if comparison.difference > 0 else "lowers"
    size = _number(comparison, abs(comparison.difference))
    against = f" {against}" if against else ""
    return f"{what} {verb} {score} by {size}{against} {_certainty(comparison)}"


def _explained(answer: Answer) -> str:
    """What off-target output explains, where a difference was found and both have a share."""
    comparison, share = answer.comparison, answer.explained
    if not comparison.found:
        return ""
    if answer.off_target is not None and max(answer.off_target) == 0:
        return "; no output is off-target"
    if share is None:
        return ""
    part = share.explained * (1 if comparison.difference > 0 else -1)
    if _number(comparison, part) == _number(comparison, 0.0):
        return "; off-target output explains none of it"
    if part < 0:
        return f"; without off-target output it would be {_number(comparison, -part)} larger"
    size = _number(comparison, abs(comparison.difference))
    if part > abs(comparison.difference) or _number(comparison, part) == size:
        return "; off-target output explains all of it"
    return f"; off-target output explains {_number(comparison, part)} of it"


def _also_off_target(answer: Answer) -> str:
    shares = answer.off_target
    if shares is None or max(shares) < WORTH_SAYING:
        return ""
    return f"; {shares[1]:.0%} of its output is off-target, {shares[0]:.0%} of the other's"


def _certainty(comparison: Comparison) -> str:
    """The interval of the size of a difference: ends turned round where it is a fall."""
    assert comparison.low is not None and comparison.high is not None
    ends = sorted((abs(comparison.low), abs(comparison.high)))
    low, high = (_number(comparison, end) for end in ends)
    return f"(95% interval {low} to {high}, {_seeds(comparison)})"


def _uncertainty(comparison: Comparison) -> str:
    """The difference with its sign, the interval, and the correction where that decided."""
    size = _number(comparison, comparison.difference, signed=True)
    if comparison.low is None or comparison.high is None or comparison.p_corrected is None:
        return f"({size}; {'; '.join(comparison.notes) or _seeds(comparison)})"
    low, high = (_number(comparison, end, signed=True) for end in (comparison.low, comparison.high))
    text = f"{size}, 95% interval {low} to {high}, {_seeds(comparison)}"
    if comparison.low > 0 or comparison.high < 0:
        text += f", p {comparison.p_corrected:.2f} corrected for {comparison.compared} comparisons"
    return f"({text})"


def _number(comparison: Comparison, value: float, *, signed: bool = False) -> str:
    """A score to the digits of its metric; a share as points of a hundred."""
    digits = {"bleu": 1, "chrf": 1, "comet": 3}.get(comparison.metric)
    rounded = round(value * 100) if digits is None else round(value, digits)
    rounded += 0.0  # no minus before a zero
    return f"{rounded:+.{digits or 0}f}" if signed else f"{rounded:.{digits or 0}f}"


def _seeds(comparison: Comparison) -> str:
    return "1 seed" if comparison.seeds == 1 else f"{comparison.seeds} seeds"


def _noise(one: Condition) -> str:
    assert one.noise is not None
    ratio = f" in {one.noise.ratio:.0%} of pairs" if one.noise.ratio < 1 else ""
    sides = "two-sided" if one.noise.side == "both" else f"{one.noise.side}-side"
    return f"{sides} {one.noise.kind} noise{ratio}"


def _pairs(one: Condition) -> str:
    return f"{_size(one)}, {one.trained_on}"


def _size(one: Condition) -> str:
    return one.amount.removesuffix(" shown")


def _where(one: Condition) -> str:
    return one.trained_on if one.noise is None else f"{one.trained_on}, {_noise(one)}"


def _owner(base: str) -> str:
    return f"{base}'s"


def _score(answer: Answer) -> str:
    base = base_label(answer.question.system.condition.base)
    return f"{_owner(base)} {answer.question.direction} {_metric(answer)}"


def _metric(answer: Answer) -> str:
    return (METRICS | _OFF_TARGET)[answer.question.metric]

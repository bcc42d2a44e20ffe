"""Findings in words. A sentence says what was compared, by how much, how sure, over how many seeds.

    Target-side word noise (256 pairs, de-en alone) lowers nano's de-en BLEU by 4.1
    (95% interval 3.2 to 5.0, 3 seeds); off-target output explains 1.2 of it.
    Going from 32 to 1,024 pairs (6 directions): no difference found in nano's de-en BLEU
    (+0.3, 95% interval -0.4 to +1.1, 3 seeds).

Here are the words for the paper's questions; those for what comes after are in `next_wording`.
"""

from __future__ import annotations

from collections.abc import Callable

from mtlab.results.answer import Answer
from mtlab.results.conditions import Condition
from mtlab.results.labels import base_label
from mtlab.results.next_wording import NEXT_WORDS
from mtlab.results.phrases import (
    amount,
    certainty,
    claim,
    given,
    metric_label,
    metric_name,
    noise_part,
    noise_words,
    number,
    owner,
    points,
    score,
    seeds,
    uncertainty,
)
from mtlab.scoring.agreement import Agreement
from mtlab.scoring.comparison import Comparison
from mtlab.spec import Direction

WORTH_SAYING = 0.05
"""A share of off-target output from which a sentence mentions it."""


def sentence(answer: Answer) -> str:
    """The finding in one sentence, with its full stop."""
    text = _WORDS[answer.question.topic](answer).strip()
    return f"{text[0].upper()}{text[1:]}."


def contrast(comparison: Comparison, direction: Direction) -> str:
    """A system against a baseline, both by name, in one sentence with its full stop."""
    what = f"{direction} {metric_label(comparison.metric)}"
    if not comparison.found:
        return (
            f"{comparison.system} against {comparison.baseline}: {comparison.verdict} in {what} "
            f"{uncertainty(comparison)}."
        )
    where = "above" if comparison.difference > 0 else "below"
    size = number(comparison, abs(comparison.difference))
    meaning = comparison.meaning
    people = f"; {meaning.sentence()}" if isinstance(meaning, Agreement) else ""
    return (
        f"{comparison.system} is {size} {what} {where} {comparison.baseline} "
        f"{certainty(comparison)}{people}."
    )


def _untuned(answer: Answer) -> str:
    one = answer.question.system.condition
    what = f"fine-tuning on {amount(one)} ({one.trained_on})"
    if not one.train:
        what = f"showing {amount(one)}"
    return claim(answer, what, score(answer), "over the untuned model")


def _bases(answer: Answer) -> str:
    one, other = answer.question.baseline.condition, answer.question.system.condition
    names = f"{base_label(other.base)} in place of {base_label(one.base)}"
    what = f"starting from {names} ({given(one)})"
    if not one.train:
        what = f"{names} ({one.amount})"
    return claim(answer, what, f"{answer.question.direction} {metric_name(answer)}")


def _step(answer: Answer) -> str:
    one, other = answer.question.baseline.condition, answer.question.system.condition
    what = f"going from {one.size:,} to {other.size:,} pairs ({_where(one)})"
    if not one.train:
        what = f"going from {one.size:,} to {amount(other)} shown"
    return claim(answer, what, score(answer))


def _fewer(answer: Answer) -> str:
    one, other = answer.question.baseline.condition, answer.question.system.condition
    return claim(answer, _in_place(one, other), score(answer)) + _also_off_target(answer)


def _transfer(answer: Answer) -> str:
    one, other = answer.question.baseline.condition, answer.question.system.condition
    count = len(answer.question.weights)
    if answer.transfer is None:
        over = f"{owner(other.base)} {metric_name(answer)} over {count} other directions"
        return claim(answer, _in_place(one, other), over)
    return _keeps(
        answer,
        f"trained on {other.trained_on} ({_amount(one)})",
        f"that training on {one.trained_on} gives, over the {count} other directions",
    )


def _kept(answer: Answer) -> str:
    most, one = answer.question.baseline.condition, answer.question.system.condition
    how = f"trained on {amount(one)} ({_where(one)})" if one.train else f"with {one.amount}"
    over = f"over the {len(answer.question.weights)} directions tested"
    if answer.transfer is None:
        score = f"{owner(one.base)} {metric_name(answer)} {over}"
        return claim(answer, f"{how} in place of {amount(most)}", score)
    return _keeps(answer, how, f"that {amount(most)} give, {over}")


def _keeps(answer: Answer, how: str, of: str) -> str:
    kept, comparison = answer.transfer, answer.comparison
    assert kept is not None
    text = (
        f"{how}, {base_label(answer.question.system.condition.base)} keeps {kept.ratio:.0%} "
        f"(95% interval {kept.low:.0%} to {kept.high:.0%}, {seeds(comparison)}) of the "
        f"{metric_name(answer)} {of}"
    )
    return text if comparison.found else f"{text}: {comparison.verdict}"


def _derailing(answer: Answer) -> str:
    question, comparison = answer.question, answer.comparison
    one, other = question.baseline.condition, question.system.condition
    text = (
        f"with English as the only target ({other.trained_on}, {_amount(other)}), "
        f"{comparison.system_value:.0%} of {owner(other.base)} {question.direction} output is in "
        f"another language than asked for, against {comparison.baseline_value:.0%} after "
        f"{one.trained_on}"
    )
    return f"{text}: {points(comparison)}"


def _against_clean(answer: Answer) -> str:
    one = answer.question.system.condition
    what = f"{noise_words(one)} ({given(one, 'noise')})"
    return claim(answer, what, score(answer)) + _explained(answer)


def _sides(answer: Answer) -> str:
    one = answer.question.system.condition
    assert one.noise is not None
    what = f"{one.noise.kind} noise on the target side in place of the source side"
    what = f"{what} ({given(one, 'noise')})"
    return claim(answer, what, score(answer))


def _ratio(answer: Answer) -> str:
    one, other = answer.question.baseline.condition, answer.question.system.condition
    assert one.noise is not None and other.noise is not None
    share = f"{other.noise.ratio:.0%} of pairs in place of {one.noise.ratio:.0%}"
    kind = noise_words(other).partition(" in ")[0]
    return claim(answer, f"{kind} in {share} ({given(one, 'noise')})", score(answer))


def _hardly_seen(answer: Answer) -> str:
    question, comparison = answer.question, answer.comparison
    one = question.system.condition
    (well, _), (rare, _) = question.weights
    apart = "each trained alone" if question.system.apart else one.trained_on
    what = f"{noise_words(one)} ({amount(one)}, {apart})"
    if not comparison.found:
        return (
            f"{what}, {well} against {rare}: {comparison.verdict} in what it costs "
            f"{base_label(one.base)} in {metric_name(answer)} {uncertainty(comparison)}"
        )
    # The difference is what noise adds to the gap between the two: under zero, `well` lost more.
    loser, other = (well, rare) if comparison.difference < 0 else (rare, well)
    size = number(comparison, abs(comparison.difference))
    text = (
        f"{what} costs {owner(one.base)} {loser} {size} {metric_name(answer)} more than {other} "
        f"{certainty(comparison)}"
    )
    if answer.heights is None:
        return text
    clean = " and ".join(number(comparison, height) for height in answer.heights)
    return f"{text}; clean, {well} and {rare} score {clean}"


_WORDS: dict[str, Callable[[Answer], str]] = {
    "untuned": _untuned,
    "bases": _bases,
    "step": _step,
    "to the largest": _step,
    "kept": _kept,
    "fewer": _fewer,
    "transfer": _transfer,
    "derailing": _derailing,
    "against clean": _against_clean,
    "sides": _sides,
    "ratio": _ratio,
    "hardly seen": _hardly_seen,
    **NEXT_WORDS,
}


def _in_place(one: Condition, other: Condition) -> str:
    return f"training on {other.trained_on} in place of {one.trained_on} ({_amount(one)})"


def _where(one: Condition) -> str:
    """The training directions, and the noise if any."""
    return ", ".join([one.trained_on, *noise_part(one)])


def _amount(one: Condition) -> str:
    """How many pairs, and the noise if any."""
    return ", ".join([amount(one), *noise_part(one)])


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
    if number(comparison, part) == number(comparison, 0.0):
        return "; off-target output explains none of it"
    if part < 0:
        return f"; without off-target output it would be {number(comparison, -part)} larger"
    size = number(comparison, abs(comparison.difference))
    if part > abs(comparison.difference) or number(comparison, part) == size:
        return "; off-target output explains all of it"
    return f"; off-target output explains {number(comparison, part)} of it"


def _also_off_target(answer: Answer) -> str:
    shares = answer.off_target
    if shares is None or max(shares) < WORTH_SAYING:
        return ""
    return f"; {shares[1]:.0%} of its output is off-target, {shares[0]:.0%} of the other's"

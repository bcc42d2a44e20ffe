"""The words for what comes after the paper: reversed pairs, cycles, methods, settings.

With 5% of the pairs reversed (256 pairs, de-en alone), 12% of nano's en-de output is in another
language than asked for, against 97% with none: 85 points less (95% interval 78 to 91, 3 seeds).
Going on from cycle 1 to cycle 2 (256 pairs, de-en and en-de, target-side word noise) lowers
nano's de-en BLEU by 1.9 (95% interval 0.8 to 3.1, 3 seeds).
Learning rate 0.001 in place of 0.0003 (32 pairs, de-en alone): no difference found in nano's
de-en BLEU (+0.2, 95% interval -0.9 to +1.3, 3 seeds).
"""

from __future__ import annotations

from collections.abc import Callable

from mtlab.results.answer import Answer
from mtlab.results.conditions import CYCLE, Condition
from mtlab.results.labels import base_label
from mtlab.results.lessons import METHOD, METHODS, REVERSE, bare, leaf_name
from mtlab.results.phrases import (
    amount,
    certainty,
    claim,
    given,
    metric_name,
    noise_words,
    number,
    owner,
    points,
    score,
    uncertainty,
)


def _reversed(answer: Answer) -> str:
    one, other = answer.question.baseline.condition, answer.question.system.condition
    what = f"reversing {_share(other)} of the pairs"
    if one.lesson.reverse:
        what += f" in place of {_share(one)}"
    return claim(answer, f"{what} ({given(other, REVERSE)})", score(answer))


def _cured(answer: Answer) -> str:
    question, comparison = answer.question, answer.comparison
    one, other = question.baseline.condition, question.system.condition
    count = len(question.weights)
    where = f"output in {count} directions not into English"
    if count == 1:
        where = f"{question.direction} output"
    with_none = _share(one) if one.lesson.reverse else "none"
    return (
        f"with {_share(other)} of the pairs reversed ({given(other, REVERSE)}), "
        f"{comparison.system_value:.0%} of {owner(other.base)} {where} is in another language than "
        f"asked for, against {comparison.baseline_value:.0%} with {with_none}: {points(comparison)}"
    )


def _cycle(answer: Answer) -> str:
    one, other = answer.question.baseline.condition, answer.question.system.condition
    shared = given(other, CYCLE) if other.repeats else given(other)  # else it says after what
    what = f"going on from cycle {one.cycle} to cycle {other.cycle} ({shared})"
    return claim(answer, what, score(answer))


def _accumulating(answer: Answer) -> str:
    comparison, side = answer.comparison, answer.question.system
    one, first = side.condition, side.less
    assert first is not None
    what = f"{noise_words(one)} ({given(one, CYCLE, 'noise')})"
    cycles = f"after {_cycles(one)} {{}} after {_cycles(first)}"
    if not comparison.found:
        return (
            f"{what}, {cycles.format('against')}: {comparison.verdict} in what it costs "
            f"{base_label(one.base)} in {answer.question.direction} {metric_name(answer)} "
            f"{uncertainty(comparison)}"
        )
    # The difference is what noise adds between the two: under zero, it cost more at the end.
    more = "more" if comparison.difference < 0 else "less"
    size = number(comparison, abs(comparison.difference))
    return (
        f"{what} costs {owner(one.base)} {answer.question.direction} {size} {metric_name(answer)} "
        f"{more} {cycles.format('than')} {certainty(comparison)}"
    )


def _methods(answer: Answer) -> str:
    one, other = answer.question.baseline.condition, answer.question.system.condition
    what = f"{_method(other)} in place of {_method(one)} ({given(one, METHOD)})"
    return claim(answer, what, score(answer))


def _systems(answer: Answer) -> str:
    one, other = answer.question.baseline.condition, answer.question.system.condition
    held = f"with {one.amount}" if one.size else "as it is"
    what = (
        f"{base_label(other.base)} fine-tuned on {amount(other)} ({other.trained_on}) in place of "
        f"{base_label(one.base)} {held}"
    )
    return claim(answer, what, f"{answer.question.direction} {metric_name(answer)}")


def _setting(answer: Answer) -> str:
    question = answer.question
    one, other = question.baseline.condition, question.system.condition
    new, old = bare(other.chosen(question.path)), bare(one.chosen(question.path))
    form = _SETTINGS.get(question.path, f"{leaf_name(question.path)} {{}}")
    what = f"{form.format(new)} in place of {old} ({given(other, question.path)})"
    return claim(answer, what, score(answer))


_SETTINGS = {
    "training.steps": "training for {} steps",
    "decoding.strategy": "decoding by {}",
    "decoding.beams": "a beam of {}",
}
"""How a field is said before its value, where its name alone would not do."""


NEXT_WORDS: dict[str, Callable[[Answer], str]] = {
    "reversed": _reversed,
    "cured": _cured,
    "cycle": _cycle,
    "accumulating": _accumulating,
    "methods": _methods,
    "systems": _systems,
    "setting": _setting,
}
"""By topic."""


def _share(one: Condition) -> str:
    return f"{one.lesson.reverse:.0%}"


def _method(one: Condition) -> str:
    return METHODS[str(one.method)]


def _cycles(one: Condition) -> str:
    return f"{one.cycle} cycle" if one.cycle == 1 else f"{one.cycle} cycles"

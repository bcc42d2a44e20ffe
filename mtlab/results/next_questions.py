"""What comes after the paper: reversed pairs, cycles, methods, settings.

reverse  each share of reversed pairs against none: off-target output where a model trained into
         English alone goes off target, direction by direction and as a whole; the score where it
         could cost something
cycle    each cycle of a chain against the one before it and against the first; and whether noise
         costs more after the last cycle than after the first
method   LoRA against full fine-tuning; fine-tuned against shown examples or taken as it is
setting  two conditions that differ in exactly one other field: each value against the one before
         it and against that which is chosen when it is left open
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from mtlab.methods import FEW_SHOT
from mtlab.results.conditions import CYCLE, Condition
from mtlab.results.lessons import METHOD, REVERSE
from mtlab.results.question import Question, Side, each, families, mean_over, shared

OFF_TARGET = "off-target"


def next_questions(conditions: Sequence[Condition], metric: str) -> Iterator[Question]:
    """All that can be asked beyond the paper, the directions one by one."""
    yield from _reverses(conditions, metric)
    yield from _cycles(conditions, metric)
    yield from _methods(conditions, metric)
    yield from _systems(conditions, metric)
    yield from _settings(conditions, metric)


def _reverses(conditions: Sequence[Condition], metric: str) -> Iterator[Question]:
    for family in families(conditions, "reverse"):
        none, *more = sorted(family, key=lambda one: one.lesson.reverse)
        if not none.into_english:
            for one in more:
                yield from each("reverse", "reversed", metric, Side(none), Side(one), REVERSE)
            continue
        for one in more:
            yield from _cured(none, one, metric)
        for one, other in pairwise(more):
            yield from _as_a_whole(one, other)


def _cured(none: Condition, one: Condition, metric: str) -> Iterator[Question]:
    """What reversed pairs do for a model that was trained into English alone."""
    shown = {direction.reversed() for direction in one.train}
    for question in each("reverse", "reversed", metric, Side(none), Side(one), REVERSE):
        if question.direction.target == "en" or question.direction in shown:
            yield question
    for question in each("reverse", "cured", OFF_TARGET, Side(none), Side(one), REVERSE):
        if question.direction.target != "en":
            yield question
    yield from _as_a_whole(none, one)


def _as_a_whole(one: Condition, other: Condition) -> Iterator[Question]:
    away = [direction for direction in shared(one, other) if direction.target != "en"]
    if len(away) > 1:
        sides = Side(one), Side(other)
        yield Question("reverse", "cured", OFF_TARGET, *sides, mean_over(away), REVERSE)


def _cycles(conditions: Sequence[Condition], metric: str) -> Iterator[Question]:
    by_chain = {(one.base, one.lessons): one for one in conditions}
    for one in conditions:
        before = by_chain.get((one.base, one.lessons[:-1]))
        if before is not None:
            yield from each("cycle", "cycle", metric, Side(before), Side(one), CYCLE)
        first = by_chain.get((one.base, one.lessons[:1]))
        if first is not None and one.cycle > 2:
            yield from each("cycle", "cycle", metric, Side(first), Side(one), CYCLE)
    for family in families(conditions, CYCLE, "noise"):
        yield from _accumulating(family, metric)


def _accumulating(family: Sequence[Condition], metric: str) -> Iterator[Question]:
    """Whether noise costs more after the last cycle than after the first."""
    chains = {one.noise: [c for c in family if c.noise == one.noise] for one in family}
    clean = {one.cycle: one for one in chains.pop(None, ())}
    for chain in chains.values():
        noisy = {one.cycle: one for one in chain}
        both = sorted(clean.keys() & noisy.keys())
        if len(both) < 2:
            continue
        first, last = both[0], both[-1]
        four = (clean[first], clean[last], noisy[first], noisy[last])
        if len({one.seeds for one in four}) == 1:
            sides = Side(clean[last], less=clean[first]), Side(noisy[last], less=noisy[first])
            yield from each("cycle", "accumulating", metric, *sides, CYCLE)


def _methods(conditions: Sequence[Condition], metric: str) -> Iterator[Question]:
    for family in families(conditions, "method"):
        by_method = {one.method: one for one in family}
        full, lora = by_method.get("full"), by_method.get("lora")
        if full is not None and lora is not None:
            yield from each("method", "methods", metric, Side(full), Side(lora), METHOD)


def _systems(conditions: Sequence[Condition], metric: str) -> Iterator[Question]:
    """Fine-tuned on the fewest and on the most pairs, against what was not trained at all.

    Of a base that was trained in several ways, the plainest one that saw the most directions.
    """
    plain = [
        one
        for one in conditions
        if one.is_trained and one.noise is None and one.cycle == 1 and not one.lesson.reverse
    ]
    untrained = [one for one in conditions if not one.is_trained]
    for base in dict.fromkeys(one.base for one in plain):
        ways = families([one for one in plain if one.base == base], "size")
        best = max(ways, key=lambda way: (len(way[0].train), -len(way[0].lesson.leaves)))
        ends = sorted(best, key=lambda one: one.size)
        for one in ends if len(ends) == 1 else (ends[0], ends[-1]):
            for other in untrained:
                if other.base == base or other.method != FEW_SHOT:
                    yield from each("method", "systems", metric, Side(other), Side(one), METHOD)


def _settings(conditions: Sequence[Condition], metric: str) -> Iterator[Question]:
    for family in families(conditions, "rest"):
        leaves = {id(one): one.lesson.leaves for one in family}
        for path in dict.fromkeys(path for found in leaves.values() for path in found):
            alike: dict[tuple[tuple[str, str], ...], list[Condition]] = {}
            for one in family:
                others = tuple((p, repr(v)) for p, v in leaves[id(one)].items() if p != path)
                alike.setdefault(others, []).append(one)
            for group in alike.values():
                for one, other in _steps(group, path):
                    yield from each("setting", "setting", metric, Side(one), Side(other), path)


def _steps(group: Sequence[Condition], path: str) -> list[tuple[Condition, Condition]]:
    """Each value and the one before it; and each and the one of reference: that which was left
    open, else the first.
    """
    values = [one.chosen(path) for one in group]
    numbers = all(isinstance(value, int | float) for value in values)
    chain = sorted(group, key=lambda one: one.chosen(path)) if numbers else list(group)
    reference = next((one for one in chain if path not in one.lesson.leaves), chain[0])
    pairs = list(pairwise(chain)) if numbers else []
    pairs += [(reference, one) for one in chain if one is not reference]
    found: dict[frozenset[int], tuple[Condition, Condition]] = {}
    for one, other in pairs:
        found.setdefault(frozenset((id(one), id(other))), (one, other))
    return list(found.values())

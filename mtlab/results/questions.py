"""The questions a set of conditions can answer: which differ in exactly one knob, and what to ask.

base       fine-tuned against untuned, at the smallest size; one base model against another
size       each size against the next; and, for where more stops helping, against the largest
direction  one training direction against the most that were trained together: direction by
           direction, and over the others as a whole; English-only targets: off-target output
noise      each kind and side against clean; target side against source side; and whether it
           costs a language the base has hardly seen less than another
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from mtlab.results.conditions import Condition
from mtlab.results.evidence import Evidence
from mtlab.spec import Direction

KINDS = ("base", "size", "direction", "noise")

HARDLY_SEEN = ("is", "ha")
"""Target languages hardly represented in pre-training: those of the paper (Zhu et al. 2024); nano
was made with little Icelandic on purpose."""


@dataclass(frozen=True)
class Side:
    """One side of a question.

    Attributes:
        condition: the condition.
        untuned: the untuned model it began from in its place.
        apart: another condition for a direction, where each direction was trained by itself.
    """

    condition: Condition
    untuned: bool = False
    apart: tuple[tuple[Direction, Condition], ...] = ()

    def runs(self, direction: Direction) -> tuple[Evidence, ...]:
        """The runs whose translations it is; an untuned model's are the same in all of them."""
        condition = dict(self.apart).get(direction, self.condition)
        return condition.runs[:1] if self.untuned else condition.runs


@dataclass(frozen=True)
class Question:
    """A comparison to make.

    Attributes:
        kind: one of `KINDS`.
        topic: what decides how the answer is worded.
        metric: what is compared.
        baseline: what the system is held against.
        system: the side that the sentence is about.
        weights: the directions, and with which weight each counts: 1 for a single one, 1/k for the
            mean of k, 1 and -1 for the difference between two.
    """

    kind: str
    topic: str
    metric: str
    baseline: Side
    system: Side
    weights: tuple[tuple[Direction, float], ...]

    @property
    def direction(self) -> Direction:
        """The direction, or the first of several."""
        return self.weights[0][0]


def questions(conditions: Sequence[Condition], metric: str) -> list[Question]:
    """Everything the conditions can be asked, the directions one by one.

    Args:
        conditions: as `mtlab.results.conditions.conditions` groups them.
        metric: of the scores; the derailing of English-only training is asked of off-target output.
    """
    found = [*_bases(conditions, metric), *_sizes(conditions, metric)]
    found += [*_directions(conditions, metric), *_noises(conditions, metric)]
    return sorted(found, key=lambda question: KINDS.index(question.kind))


def families(conditions: Iterable[Condition], knob: str) -> list[list[Condition]]:
    """Conditions that agree in all but one knob, the lone ones included."""
    groups: dict[tuple[object, ...], list[Condition]] = {}
    for one in conditions:
        key = tuple(value for name, value in one.knobs.items() if name != knob)
        groups.setdefault(key, []).append(one)
    return list(groups.values())


def shared(one: Condition, other: Condition) -> list[Direction]:
    """The directions both conditions tested."""
    return [direction for direction in one.tested if direction in other.tested]


def _each(kind: str, topic: str, metric: str, baseline: Side, system: Side) -> Iterator[Question]:
    for direction in shared(baseline.condition, system.condition):
        yield Question(kind, topic, metric, baseline, system, ((direction, 1.0),))


def _bases(conditions: Sequence[Condition], metric: str) -> Iterator[Question]:
    for one, other in _pairs(conditions, "base"):
        yield from _each("base", "bases", metric, Side(one), Side(other))


def _sizes(conditions: Sequence[Condition], metric: str) -> Iterator[Question]:
    for family in families(conditions, "size"):
        chain = sorted(family, key=lambda one: one.size)
        first, last = chain[0], chain[-1]
        if first.noise is None and all(run.spec.score_base for run in first.runs):
            yield from _each("base", "untuned", metric, Side(first, untuned=True), Side(first))
        for one, other in zip(chain, chain[1:], strict=False):
            yield from _each("size", "step", metric, Side(one), Side(other))
        for one in chain[:-2]:
            yield from _each("size", "to the largest", metric, Side(one), Side(last))


def _directions(conditions: Sequence[Condition], metric: str) -> Iterator[Question]:
    for family in families(conditions, "train"):
        most = max(family, key=lambda one: len(one.train))
        for one in family:
            if one is most or not set(one.train) < set(most.train):
                continue
            yield from _each("direction", "fewer", metric, Side(most), Side(one))
            others = [d for d in shared(most, one) if d in most.train and d not in one.train]
            if len(others) > 1:
                weights = tuple((direction, 1 / len(others)) for direction in others)
                yield Question("direction", "transfer", metric, Side(most), Side(one), weights)
        yield from _derailing(family, most)


def _derailing(family: Sequence[Condition], most: Condition) -> Iterator[Question]:
    for one in family:
        if not one.english_only:
            continue
        held = most if not most.english_only else _turned_round(family, one)
        if held is None:
            continue
        for question in _each("direction", "derailing", "off-target", Side(held), Side(one)):
            if question.direction.target != "en":
                yield question


def _turned_round(family: Sequence[Condition], one: Condition) -> Condition | None:
    turned = {direction.reversed() for direction in one.train}
    return next((other for other in family if set(other.train) == turned), None)


def _noises(conditions: Sequence[Condition], metric: str) -> Iterator[Question]:
    for family in families(conditions, "noise"):
        clean = next((one for one in family if one.noise is None), None)
        noisy = [one for one in family if one.noise is not None]
        for one in noisy if clean is not None else ():
            assert clean is not None
            yield from _each("noise", "against clean", metric, Side(clean), Side(one))
            yield from _hardly_seen(conditions, clean, one, metric)
        for source in noisy:
            for target in noisy:
                if _same_but_for_the_side(source, target):
                    yield from _each("noise", "sides", metric, Side(source), Side(target))


def _hardly_seen(
    conditions: Sequence[Condition], clean: Condition, noisy: Condition, metric: str
) -> Iterator[Question]:
    """Whether noise costs a well-seen target more than a hardly seen one, from the same source.

    Both directions were trained, together or each by itself with the same seeds.
    """
    tested = [one for one in shared(clean, noisy) if one in clean.train]
    for well in (one for one in tested if one.target not in HARDLY_SEEN):
        for rare in (one for one in tested if one.target in HARDLY_SEEN):
            if rare.source == well.source:
                yield _interaction(Side(clean), Side(noisy), well, rare, metric)
        if len(clean.train) > 1:
            continue
        for one in (c for c in conditions if c.differs_in(clean) == ("train",)):
            for other in (c for c in conditions if c.differs_in(noisy) == ("train",)):
                rare = one.train[0]
                if (
                    one.train == other.train == (rare,)
                    and rare.target in HARDLY_SEEN
                    and rare.source == well.source
                    and clean.seeds == noisy.seeds == one.seeds == other.seeds
                ):
                    sides = (
                        Side(clean, apart=((rare, one),)),
                        Side(noisy, apart=((rare, other),)),
                    )
                    yield _interaction(*sides, well, rare, metric)


def _interaction(
    clean: Side, noisy: Side, well: Direction, rare: Direction, metric: str
) -> Question:
    return Question("noise", "hardly seen", metric, clean, noisy, ((well, 1.0), (rare, -1.0)))


def _same_but_for_the_side(source: Condition, target: Condition) -> bool:
    one, other = source.noise, target.noise
    if one is None or other is None or (one.side, other.side) != ("source", "target"):
        return False
    return one.model_dump(exclude={"side"}) == other.model_dump(exclude={"side"})


def _pairs(conditions: Sequence[Condition], knob: str) -> Iterator[tuple[Condition, Condition]]:
    for family in families(conditions, knob):
        yield from combinations(family, 2)

"""The paper's questions, asked of conditions that differ in one knob: base, size, direction, noise.

base       fine-tuned against untuned, at the smallest size; one base model against another
size       each size against the next; and, for where more stops helping, against the largest; and
           what each keeps of what the largest gives, over all directions
direction  one training direction against the most that were trained together: direction by
           direction, and over the others as a whole; English-only targets: off-target output
noise      each kind and side against clean; target side against source side; a share of noisy
           pairs against the next smaller one; and whether it costs a language the base has hardly
           seen less than another
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise

from mtlab.presets import RUN
from mtlab.results.conditions import Condition
from mtlab.results.question import Question, Side, each, families, mean_over, shared
from mtlab.spec import Direction

HARDLY_SEEN = ("is", "ha")
"""Target languages hardly represented in pre-training: those of the paper (Zhu et al. 2024); nano
was made with little Icelandic on purpose."""


def paper_questions(conditions: Sequence[Condition], metric: str) -> Iterator[Question]:
    """All that the paper would ask of these conditions, the directions one by one."""
    yield from _bases(conditions, metric)
    yield from _sizes(conditions, metric)
    yield from _directions(conditions, metric)
    yield from _noises(conditions, metric)


def _bases(conditions: Sequence[Condition], metric: str) -> Iterator[Question]:
    for one in _to_hold_against_untuned(conditions):
        yield from each("base", "untuned", metric, Side(one, untuned=True), Side(one))
    for family in families(conditions, "base"):
        for one, other in combinations(family, 2):
            yield from each("base", "bases", metric, Side(one), Side(other))


def _to_hold_against_untuned(conditions: Sequence[Condition]) -> list[Condition]:
    """Of each base and set of training directions the smallest size, in its plainest form."""
    found: dict[tuple[object, ...], Condition] = {}
    for one in conditions:
        went_on = one.runs[0].spec.base.startswith(RUN)  # then its base was tuned already
        if one.noise is not None or went_on or not all(run.spec.score_base for run in one.runs):
            continue
        key = (one.base, one.train, one.is_trained)
        best = found.setdefault(key, one)
        if (len(one.lesson.leaves), one.size) < (len(best.lesson.leaves), best.size):
            found[key] = one
    return list(found.values())


def _sizes(conditions: Sequence[Condition], metric: str) -> Iterator[Question]:
    for family in families(conditions, "size"):
        chain = sorted(family, key=lambda one: one.size)
        last = chain[-1]
        for one, other in pairwise(chain):
            yield from each("size", "step", metric, Side(one), Side(other))
        for one in chain[:-2]:
            yield from each("size", "to the largest", metric, Side(one), Side(last))
        for one in chain[:-1]:
            both = shared(one, last)
            if len(both) > 1:
                yield Question("size", "kept", metric, Side(last), Side(one), mean_over(both))


def _directions(conditions: Sequence[Condition], metric: str) -> Iterator[Question]:
    for family in families(conditions, "train"):
        most = max(family, key=lambda one: len(one.train))
        for one in family:
            if one is most or not set(one.train) < set(most.train):
                continue
            yield from each("direction", "fewer", metric, Side(most), Side(one))
            others = [d for d in shared(most, one) if d in most.train and d not in one.train]
            if len(others) > 1:
                sides = Side(most), Side(one)
                yield Question("direction", "transfer", metric, *sides, mean_over(others))
        yield from _derailing(family, most)


def _derailing(family: Sequence[Condition], most: Condition) -> Iterator[Question]:
    for one in family:
        if not one.english_only:
            continue
        held = most if not most.english_only else _turned_round(family, one)
        if held is None:
            continue
        for question in each("direction", "derailing", "off-target", Side(held), Side(one)):
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
            yield from each("noise", "against clean", metric, Side(clean), Side(one))
            yield from _hardly_seen(conditions, clean, one, metric)
        for source in noisy:
            for target in noisy:
                if _same_but_for_the_side(source, target):
                    yield from each("noise", "sides", metric, Side(source), Side(target))
        yield from _ratios(noisy, metric)


def _ratios(noisy: Sequence[Condition], metric: str) -> Iterator[Question]:
    """Each share of noisy pairs against the next smaller one of the same noise."""
    chains: dict[str, dict[float, Condition]] = {}
    for one in noisy:
        assert one.noise is not None
        kind = one.noise.model_dump_json(exclude={"ratio"})
        chains.setdefault(kind, {})[one.noise.ratio] = one
    for chain in chains.values():
        for less, more in pairwise(sorted(chain)):
            sides = Side(chain[less]), Side(chain[more])
            yield from each("noise", "ratio", metric, *sides, "noise.ratio")


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

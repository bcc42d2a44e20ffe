"""A question: two sides, each a condition over its seeds, and the directions they are held in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mtlab.results.conditions import Condition
from mtlab.results.evidence import Evidence
from mtlab.spec import Direction

KINDS = ("base", "size", "direction", "noise", "reverse", "cycle", "method", "setting")
"""What questions are about, in the order in which they are answered."""


@dataclass(frozen=True)
class Side:
    """One side of a question.

    Attributes:
        condition: the condition.
        untuned: the untuned model it began from in its place.
        apart: another condition for a direction, where each direction was trained by itself.
        less: a condition that is subtracted, of the same seeds: what was gained since.
    """

    condition: Condition
    untuned: bool = False
    apart: tuple[tuple[Direction, Condition], ...] = ()
    less: Condition | None = None

    def runs(self, direction: Direction) -> tuple[Evidence, ...]:
        """The runs whose translations it is; an untuned model's are the same in all of them."""
        condition = dict(self.apart).get(direction, self.condition)
        return condition.runs[:1] if self.untuned else condition.runs

    def terms(self, direction: Direction) -> tuple[tuple[tuple[Evidence, ...], float], ...]:
        """All that it is made of, each with its weight."""
        own = (self.runs(direction), 1.0)
        return (own,) if self.less is None else (own, (self.less.runs, -1.0))


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
        path: of the field that the two sides differ in, where that is a setting.
    """

    kind: str
    topic: str
    metric: str
    baseline: Side
    system: Side
    weights: tuple[tuple[Direction, float], ...]
    path: str = ""

    @property
    def direction(self) -> Direction:
        """The direction, or the first of several."""
        return self.weights[0][0]


def families(conditions: Iterable[Condition], *knobs: str) -> list[list[Condition]]:
    """Conditions that agree in all but some knobs, the lone ones included."""
    groups: dict[tuple[object, ...], list[Condition]] = {}
    for one in conditions:
        key = tuple(value for name, value in one.knobs.items() if name not in knobs)
        groups.setdefault(key, []).append(one)
    return list(groups.values())


def shared(one: Condition, other: Condition) -> list[Direction]:
    """The directions both conditions tested."""
    return [direction for direction in one.tested if direction in other.tested]


def each(
    kind: str, topic: str, metric: str, baseline: Side, system: Side, path: str = ""
) -> Iterator[Question]:
    """The same question in every direction that both sides tested."""
    for direction in shared(baseline.condition, system.condition):
        yield Question(kind, topic, metric, baseline, system, ((direction, 1.0),), path)


def mean_over(directions: Iterable[Direction]) -> tuple[tuple[Direction, float], ...]:
    """The weights of a mean over directions."""
    found = tuple(directions)
    return tuple((direction, 1 / len(found)) for direction in found)

"""A run's test sets as they are translated: some directions in one go, and who answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mtlab.runs.preparing import Tests
from mtlab.spec import Direction
from mtlab.streams import streams_of

if TYPE_CHECKING:
    from mtlab.decoding import Hypothesis

Answers = dict[Direction, "list[Hypothesis]"]


@dataclass(frozen=True)
class Stream:
    """Test sets that are translated together.

    Attributes:
        sources: by direction, in order.
        before: segments of the run's streams before this one.
        of: segments of all its streams.
    """

    sources: dict[Direction, tuple[str, ...]]
    before: int
    of: int

    @property
    def name(self) -> str:
        """What a person reads, such as `de-en` or `de-en and 5 more`."""
        first, *more = self.sources
        return f"{first} and {len(more)} more" if more else str(first)

    @property
    def count(self) -> int:
        """Its segments."""
        return sum(map(len, self.sources.values()))

    def share(self, done: int) -> float:
        """How much of the run's translating is done when so many of its segments are."""
        return (self.before + done) / max(1, self.of)

    def by_direction(self, answers: Sequence[Hypothesis]) -> Answers:
        """Answers to all of its segments, in order, told apart."""
        rest = iter(answers)
        return {
            direction: [next(rest) for _ in sources] for direction, sources in self.sources.items()
        }


@dataclass(frozen=True)
class Answering:
    """Who translates a run's test sets.

    Attributes:
        to: answers a stream.
        together: segments of a stream; 0 where each direction is asked by itself.
    """

    to: Callable[[Stream], Answers]
    together: int = 0


def streams(tests: Tests, together: int) -> list[Stream]:
    """A run's test sets, stream by stream.

    Args:
        tests: all of them.
        together: segments of a stream; 0 leaves each direction by itself.
    """
    directions = list(tests)
    sizes = [len(tests[direction]) for direction in directions]
    made: list[Stream] = []
    before = 0
    for places in streams_of(sizes, together):
        sources = {
            directions[place]: tuple(pair.source for pair in tests[directions[place]])
            for place in places
        }
        made.append(Stream(sources, before, sum(sizes)))
        before += made[-1].count
    return made

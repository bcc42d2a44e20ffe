"""The draw: which pairs a run trains on.

All available pairs are put in one order that depends on the seed alone, and a draw of `n` is its
first `n`. So the 16 are among the 32, and a curve over sizes compares like with like. Within a
direction the order is that of SHA-256 over seed and key, the same in every process. Directions are
then merged so that every beginning of the order has the right shares:

- balanced: in turns; a direction that runs out leaves its turns to the rest.
- proportional: Webster's divisor method, which never takes a seat away as the house grows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Literal

from mtlab.corpora.pairs import Corpus, Pair, normalised
from mtlab.errors import InputError
from mtlab.spec import Direction

Balance = Literal["balanced", "proportional"]

_BITS = 32
_STEPS: int = 2**_BITS


@dataclass(frozen=True)
class Draw:
    """The pairs drawn, and from how many.

    Attributes:
        pairs: the pairs, in the order of the draw: a smaller draw is a beginning of it.
        pool_sizes: pairs in the corpus by direction, before any were removed.
        removed: pairs by direction that were left out because their source or target, normalised,
            stands in the test set.
        reversed: the places of the pairs that were turned round (`turn_round`).
        order: by direction, every pair that a larger draw could hold, in the order of the draw.
    """

    pairs: tuple[Pair, ...]
    pool_sizes: dict[str, int]
    removed: dict[str, int]
    reversed: frozenset[int] = frozenset()
    order: Mapping[Direction, tuple[Pair, ...]] = field(default_factory=dict, repr=False)

    @property
    def available(self) -> int:
        """How many pairs could be drawn at most."""
        return sum(self.pool_sizes.values()) - sum(self.removed.values())

    def by_direction(self) -> dict[Direction, list[Pair]]:
        """The pairs drawn by direction, each in the order of the draw."""
        return by_direction(self.pairs)

    def turn_round(self, share: float, seed: int) -> Draw:
        """The same draw with a share of its pairs reversed: source for target, `de-en` for `en-de`.

        In each direction they are spread evenly over the order of the draw, as noise is, so that a
        smaller draw and a smaller share reverse some of the same pairs and no others.
        """
        seen: dict[Direction, int] = {}
        pairs, places = list(self.pairs), []
        for place, pair in enumerate(self.pairs):
            nth = seen.get(pair.direction, 0)
            seen[pair.direction] = nth + 1
            if spread(nth, "reverse", seed, pair.direction) < share:
                pairs[place] = Pair(pair.direction.reversed(), pair.target, pair.source, pair.key)
                places.append(place)
        return replace(self, pairs=tuple(pairs), reversed=frozenset(places))


def by_direction(pairs: Iterable[Pair]) -> dict[Direction, list[Pair]]:
    """Pairs by direction, each in its order."""
    found: dict[Direction, list[Pair]] = {}
    for pair in pairs:
        found.setdefault(pair.direction, []).append(pair)
    return found


def draw(
    corpus: Corpus,
    directions: Sequence[Direction],
    size: int,
    seed: int,
    balance: Balance = "balanced",
    test_corpus: Corpus | None = None,
    tested: Sequence[Direction] = (),
) -> Draw:
    """Draw training pairs: seeded, nested, without what is tested on.

    The size may be anything up to the pool. Where pairs had to be left out because they stand in
    the test set, a draw of the whole pool is smaller by as many, and says so in `removed`.

    Args:
        corpus: where training pairs come from.
        directions: the directions to train; their order does not matter.
        size: pairs in all, 1 or more.
        seed: another seed gives another draw.
        balance: equal shares (they differ by one at most, until a pool is used up), or shares as
            large as the pools.
        test_corpus: where test pairs come from; the same corpus when not given.
        tested: the directions that will be tested.

    Raises:
        InputError: a direction the corpus lacks, or more pairs than the pools hold.
    """
    if size < 1:
        raise InputError(f"{size} pairs cannot be drawn", field="size", fix="give 1 or more")
    pools = {str(direction): corpus.pool(direction) for direction in directions}
    queues = {
        str(direction): _queue(corpus, direction, seed, test_corpus or corpus, tuple(tested))
        for direction in directions
    }
    pool_sizes = {name: len(pool) for name, pool in pools.items()}
    removed = {name: len(pool) - len(queues[name]) for name, pool in pools.items()}
    if size > sum(pool_sizes.values()):
        raise _too_many(size, sum(pool_sizes.values()), corpus, list(queues))
    if not any(queues.values()):
        raise InputError(
            f"every training pair of {corpus.title} for {', '.join(queues)} stands in the test set",
            field="test_corpus",
            fix="choose another test corpus",
        )
    order = _in_turns(queues, seed) if balance == "balanced" else _by_share(queues, seed)
    chosen = order[:size]
    drawn = {name: iter(pairs) for name, pairs in queues.items()}
    return Draw(
        tuple(next(drawn[name]) for name in chosen),
        pool_sizes,
        removed,
        order={direction: queues[str(direction)] for direction in directions},
    )


def uniform(*parts: object) -> float:
    """A number in [0, 1) that is a pure function of its arguments, in every process."""
    text = "\x1f".join(map(str, parts))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:7], "big") / 2**56


def spread(place: int, *parts: object) -> float:
    """The n-th number of a van der Corput sequence in [0, 1) that `parts` shuffle.

    Any run of its beginning is spread evenly, where independent numbers would clump: of 32 numbers
    16 are below 0.5, and not 11 or 21.
    """
    reversed_bits = int(f"{place:0{_BITS}b}"[::-1], 2)
    shift = int(uniform(*parts) * _STEPS)
    return (reversed_bits ^ shift) / _STEPS


# A form that tells what it would draw asks for the same ones again with every key typed.
@lru_cache(maxsize=48)
def _queue(
    corpus: Corpus,
    direction: Direction,
    seed: int,
    test_corpus: Corpus,
    tested: tuple[Direction, ...],
) -> tuple[Pair, ...]:
    """The pairs of a direction that may be trained on, in the order of the draw."""
    forbidden = _texts(test_corpus, tested)
    pairs = [pair for pair in corpus.pool(direction) if not _stands_in(forbidden, pair)]
    return tuple(sorted(pairs, key=lambda pair: (uniform("draw", seed, pair.key), pair.key)))


def _in_turns(queues: Mapping[str, Sequence[Pair]], seed: int) -> list[str]:
    """Direction names, one per pair: each in its turn, as long as it has pairs."""
    names = sorted(queues, key=lambda name: (uniform("turn", seed, name), name))
    longest = max(map(len, queues.values()), default=0)
    return [name for turn in range(longest) for name in names if turn < len(queues[name])]


def _by_share(queues: Mapping[str, Sequence[Pair]], seed: int) -> list[str]:
    """Direction names, one per pair: the next is the one furthest behind its share."""
    seats = [
        ((place + 0.5) / len(pairs), uniform("turn", seed, name), name)
        for name, pairs in queues.items()
        for place in range(len(pairs))
    ]
    return [name for _, _, name in sorted(seats)]


@lru_cache(maxsize=8)
def _texts(corpus: Corpus, directions: tuple[Direction, ...]) -> frozenset[tuple[str, str]]:
    """Every text of the test sets, with its language."""
    return frozenset(
        text
        for direction in directions
        for pair in corpus.test(direction)
        for text in (
            (direction.source, normalised(pair.source)),
            (direction.target, normalised(pair.target)),
        )
    )


def _stands_in(texts: frozenset[tuple[str, str]], pair: Pair) -> bool:
    return bool(texts) and (
        (pair.direction.source, normalised(pair.source)) in texts
        or (pair.direction.target, normalised(pair.target)) in texts
    )


def _too_many(size: int, available: int, corpus: Corpus, names: Sequence[str]) -> InputError:
    pairs = "pair" if available == 1 else "pairs"
    return InputError(
        f"{size:,} pairs are asked for, and {corpus.title} has {available:,} training {pairs} "
        f"for {', '.join(names)}",
        field="size",
        fix=f"ask for {available:,} or fewer",
    )

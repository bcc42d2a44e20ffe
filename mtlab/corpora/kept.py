"""A corpus whose pairs are made when a direction is first asked for, and then kept."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable

from mtlab.corpora.pairs import Pair, Split, digest_of, lacking
from mtlab.spec import Direction


class KeptCorpus(ABC):
    """All of `Corpus` but its name, title and licence, for a subclass that can make pairs.

    Args:
        directions: by split, the directions that have pairs.
    """

    title: str

    def __init__(self, directions: dict[Split, tuple[Direction, ...]]) -> None:
        self._directions = directions
        self._pairs: dict[tuple[Direction, Split], tuple[Pair, ...]] = {}
        self._digests: dict[tuple[Direction, Split], str] = {}

    @abstractmethod
    def _make(self, direction: Direction, split: Split) -> Iterable[Pair]:
        """The pairs of a direction that the split has, in the corpus's own order."""

    def train_directions(self) -> tuple[Direction, ...]:
        """The directions that have training pairs."""
        return self._directions["train"]

    def test_directions(self) -> tuple[Direction, ...]:
        """The directions that have test pairs."""
        return self._directions["test"]

    def pool(self, direction: Direction) -> tuple[Pair, ...]:
        """All training pairs of a direction.

        Raises:
            InputError: it has none; says which directions it has.
            NotAvailable: they lie where this machine cannot reach.
        """
        return self._of(direction, "train")

    def test(self, direction: Direction) -> tuple[Pair, ...]:
        """All test pairs of a direction.

        Raises:
            InputError: it has none; says which directions it has.
            NotAvailable: they lie where this machine cannot reach.
        """
        return self._of(direction, "test")

    def digest(self, direction: Direction, split: Split) -> str:
        """SHA-256 of the pairs."""
        key = (direction, split)
        if key not in self._digests:
            self._digests[key] = digest_of(self._of(direction, split))
        return self._digests[key]

    def _of(self, direction: Direction, split: Split) -> tuple[Pair, ...]:
        if direction not in self._directions[split]:
            raise lacking(self.title, direction, split, self._directions[split])
        key = (direction, split)
        if key not in self._pairs:
            self._pairs[key] = tuple(self._make(direction, split))
        return self._pairs[key]

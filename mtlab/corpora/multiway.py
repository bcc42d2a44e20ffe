"""A corpus of rows, each a sentence in two or more languages, usable in every direction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import permutations

from mtlab.corpora.pairs import Pair, Split, digest_of, lacking
from mtlab.languages import LANGUAGES
from mtlab.spec import Direction


class MultiwayCorpus:
    """Rows to train on and rows to test on.

    Args:
        name: what `open_corpus` was asked for.
        title: its name in a sentence.
        licence: under what terms the text may be used.
        train: rows by number (the line in the file), each a text by language code.
        test: the same, held out.
        label: how keys begin; `name` when not given.
    """

    def __init__(
        self,
        name: str,
        title: str,
        licence: str,
        train: Mapping[int, Mapping[str, str]],
        test: Mapping[int, Mapping[str, str]],
        *,
        label: str | None = None,
    ) -> None:
        self.name = name
        self.title = title
        self.licence = licence
        self._label = label or name
        self._rows: dict[Split, Mapping[int, Mapping[str, str]]] = {"train": train, "test": test}
        self._directions = {
            split: _directions(list(rows.values())) for split, rows in self._rows.items()
        }
        self._pairs: dict[tuple[Direction, Split], tuple[Pair, ...]] = {}
        self._digests: dict[tuple[Direction, Split], str] = {}

    def train_directions(self) -> tuple[Direction, ...]:
        """The directions that have training pairs."""
        return self._directions["train"]

    def test_directions(self) -> tuple[Direction, ...]:
        """The directions that have test pairs."""
        return self._directions["test"]

    def pool(self, direction: Direction) -> tuple[Pair, ...]:
        """All training pairs of a direction, in file order.

        Raises:
            InputError: it has none; says which directions it has.
        """
        return self._of(direction, "train")

    def test(self, direction: Direction) -> tuple[Pair, ...]:
        """All test pairs of a direction, in file order.

        Raises:
            InputError: it has none; says which directions it has.
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
            mark = "" if split == "train" else "test:"
            self._pairs[key] = tuple(
                Pair(
                    direction=direction,
                    source=row[direction.source],
                    target=row[direction.target],
                    key=f"{self._label}:{mark}{direction}:{number}",
                )
                for number, row in self._rows[split].items()
                if direction.source in row and direction.target in row
            )
        return self._pairs[key]


def _directions(rows: Sequence[Mapping[str, str]]) -> tuple[Direction, ...]:
    """All directions that some row can serve, in the order of the language list."""
    together = {
        pair for codes in {frozenset(row) for row in rows} for pair in permutations(codes, 2)
    }
    order = list(LANGUAGES)
    return tuple(
        Direction(source=source, target=target)
        for source, target in sorted(together, key=lambda p: (order.index(p[0]), order.index(p[1])))
    )

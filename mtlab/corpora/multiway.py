"""A corpus of rows, each a sentence in two or more languages, usable in every direction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import permutations

from mtlab.corpora.kept import KeptCorpus
from mtlab.corpora.pairs import Pair, Split
from mtlab.languages import LANGUAGES
from mtlab.spec import Direction


class MultiwayCorpus(KeptCorpus):
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
        super().__init__(
            {split: _directions(list(rows.values())) for split, rows in self._rows.items()}
        )

    def _make(self, direction: Direction, split: Split) -> Iterator[Pair]:
        mark = "" if split == "train" else "test:"
        for number, row in self._rows[split].items():
            if direction.source in row and direction.target in row:
                yield Pair(
                    direction=direction,
                    source=row[direction.source],
                    target=row[direction.target],
                    key=f"{self._label}:{mark}{direction}:{number}",
                )


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

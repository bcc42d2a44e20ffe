"""A sentence pair, what a corpus is, and when two sentences count as the same."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from mtlab.errors import InputError
from mtlab.spec import Direction

Split = Literal["train", "test"]

_NOT_WORDS = re.compile(r"[\W_]+")


@dataclass(frozen=True)
class Pair:
    """A sentence and its translation.

    Attributes:
        direction: which language is which.
        source: the sentence.
        target: its translation.
        key: where it comes from, such as `wmt19:de-en:57`; unique within a corpus, the same in
            every process and at every size.
    """

    direction: Direction
    source: str
    target: str
    key: str

    def to_json(self) -> dict[str, str]:
        """The pair as plain JSON values."""
        return {
            "key": self.key,
            "direction": str(self.direction),
            "source": self.source,
            "target": self.target,
        }


class Corpus(Protocol):
    """Where pairs come from: some to train on, others to test on, each by direction."""

    name: str
    title: str
    licence: str

    def train_directions(self) -> tuple[Direction, ...]:
        """The directions that have training pairs."""

    def test_directions(self) -> tuple[Direction, ...]:
        """The directions that have test pairs."""

    def pool(self, direction: Direction) -> tuple[Pair, ...]:
        """All training pairs of a direction, in the corpus's own order.

        Raises:
            InputError: it has none; says which directions it has.
        """

    def test(self, direction: Direction) -> tuple[Pair, ...]:
        """All test pairs of a direction, in the corpus's own order.

        Raises:
            InputError: it has none; says which directions it has.
        """

    def digest(self, direction: Direction, split: Split) -> str:
        """SHA-256 of the pairs, for provenance and caches."""

    def __hash__(self) -> int:
        """A corpus is itself and no other, and never changes."""


def normalised(text: str) -> str:
    """The text as it counts when two are compared: no case, no punctuation, single spaces.

    A text of punctuation alone is kept as it stands, so that `...` and `?` stay different.
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    return _NOT_WORDS.sub(" ", folded).strip() or folded.strip()


def digest_of(pairs: Iterable[Pair]) -> str:
    """SHA-256 over keys and texts, in order."""
    sha = hashlib.sha256()
    for pair in pairs:
        sha.update(f"{pair.key}\t{pair.source}\t{pair.target}\n".encode())
    return sha.hexdigest()


def lacking(
    title: str, direction: Direction, split: Split, available: Sequence[Direction]
) -> InputError:
    """The error of a corpus that lacks a direction."""
    purpose = "training" if split == "train" else "test"
    fix = (
        f"use one of {', '.join(map(str, available))}"
        if available
        else f"choose another {purpose} corpus"
    )
    return InputError(f"{title} has no {purpose} pairs for {direction}", field=split, fix=fix)

"""Groups of sentences into documents, as an endless, seeded and resumable stream.

None is an instruction: a quarter is text in one language, the rest the same sentences in several,
in the shapes of `shapes`, many with the languages' names before the text they announce.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mtlab.pretraining.kinds import KINDS, single
from mtlab.pretraining.library import Library
from mtlab.pretraining.parallel import Groups


@dataclass(frozen=True)
class Document:
    """One document: its text, and the name of its kind."""

    text: str
    kind: str


class DocumentStream:
    """Documents without end; the same seed gives the same ones.

    The next document is about the language that lags furthest behind its share, so that every
    share (of characters, headings left out) is met closely at any moment and not only in the end.
    """

    def __init__(self, groups: Groups, shares: Mapping[str, float], seed: int) -> None:
        self._draw = random.Random(seed)
        self._library = Library(groups, shares, self._draw)

    def __iter__(self) -> Iterator[Document]:
        return self

    def __next__(self) -> Document:
        kind = self._draw.choices(list(KINDS), list(KINDS.values()))[0]
        main = self._library.lagging()
        if not self._library.has_partner(main):
            kind = single
        naming = self._draw.choices(("english", "native", "upper"), (0.9, 0.06, 0.04))[0]
        return Document(kind(self._library, main, naming), kind.__name__)

    @property
    def written(self) -> dict[str, int]:
        """Characters of text so far, by language."""
        return dict(self._library.taken)

    def state(self) -> dict[str, Any]:
        """What `restore` needs to go on from here; plain values."""
        return {"random": self._draw.getstate(), "written": self.written}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from where `state` was taken."""
        version, numbers, gauss = state["random"]
        self._draw.setstate((version, tuple(numbers), gauss))
        self._library.taken = dict(state["written"])

"""What a kind of noise is, and a pair before and after it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol

from mtlab.corpora.pairs import Corpus, Pair
from mtlab.settings import Settings

Side = Literal["source", "target"]


@dataclass(frozen=True)
class NoisyPair:
    """A training pair as it was and as it is trained on.

    Attributes:
        clean: the pair as drawn.
        noisy: the pair as trained on; the same when nothing was done to it.
        touched: the sides that noise was put on.
    """

    clean: Pair
    noisy: Pair
    touched: tuple[Side, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """One line of `train.jsonl`: the pair as trained on, and the clean side where touched."""
        clean = {f"clean_{side}": getattr(self.clean, side) for side in self.touched}
        return {**self.noisy.to_json(), "touched": list(self.touched), **clean}


class Kind(Protocol):
    """A way to corrupt one side of a pair.

    Attributes:
        name: as in `Noise.kind`.
        title: a few words for people.
    """

    name: str
    title: str

    def corrupt_text(
        self, pair: Pair, side: Side, seed: int, corpus: Corpus, settings: Settings
    ) -> str:
        """The corrupted text of one side: a pure function of its arguments.

        Raises:
            InputError: the corpus does not have what this kind of noise needs.
        """

"""What a kind of noise is, what it is given, and a pair before and after it."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from mtlab.corpora.pairs import Corpus, Pair
from mtlab.settings import Settings
from mtlab.spec import Direction, Noise

Side = Literal["source", "target"]


@dataclass(frozen=True)
class NoisyPair:
    """A training pair as it was and as it is trained on.

    Attributes:
        clean: the pair as drawn.
        noisy: the pair as trained on; the same when nothing was done to it.
        touched: the sides that noise has changed.
    """

    clean: Pair
    noisy: Pair
    touched: tuple[Side, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """One line of `train.jsonl`: the pair as trained on, and the clean side where touched."""
        clean = {f"clean_{side}": getattr(self.clean, side) for side in self.touched}
        return {**self.noisy.to_json(), "touched": list(self.touched), **clean}


class Translator(Protocol):
    """Whatever translates: a run's model, a base model, a translation model of the hub."""

    def identity(self, direction: Direction) -> str:
        """What decides its answers in a direction, as a word: translations are kept under it.

        Raises:
            NotAvailable: its files are not on this machine and cannot be fetched now.
        """

    def translate(self, texts: Sequence[str], direction: Direction) -> list[str]:
        """One translation for each text; "" where it has none.

        Raises:
            InputError: it does not know the direction.
            NotAvailable: it does not fit into memory, or cannot be fetched now.
        """


@dataclass(frozen=True)
class Context:
    """What a kind may look at beside the pairs it is to corrupt.

    Attributes:
        noise: what was asked for, with the options of the kind.
        seed: of any chance within the kind.
        corpus: what the pairs were drawn from.
        settings: where caches lie.
        order: by direction, every pair that may be trained on, in the order of the draw.
        translator: for kinds that need one.
        on_progress: called with how many texts are done and how many there are.
    """

    noise: Noise
    seed: int
    corpus: Corpus
    settings: Settings
    order: Mapping[Direction, Sequence[Pair]] = field(default_factory=dict, repr=False)
    translator: Translator | None = None
    on_progress: Callable[[int, int], None] | None = None

    def pool(self, direction: Direction) -> Sequence[Pair]:
        """All pairs that may be trained on in a direction; where none are, the reverse ones turned.

        So a pair that was drawn in one direction and turned round still has its neighbours.
        """
        found = self.order.get(direction)
        if found is not None:
            return found
        return [
            Pair(direction, pair.target, pair.source, pair.key)
            for pair in self.order.get(direction.reversed(), ())
        ]

    def chance(self, pair: Pair, side: Side) -> random.Random:
        """A source of chance that depends on the kind, the seed, the pair and the side alone."""
        return random.Random(f"{self.noise.kind}\x1f{self.seed}\x1f{pair.key}\x1f{side}")


class Kind(ABC):
    """A way to corrupt one side of pairs; a kind that has nothing to check leaves `check` out."""

    @abstractmethod
    def corrupt_texts(self, pairs: Sequence[Pair], side: Side, context: Context) -> list[str]:
        """The corrupted text of one side of each pair, which may be of several directions.

        What becomes of a pair depends on the pair and the context, never on the pairs beside it,
        so that it is the same at every size. A text to which nothing can be done comes back as it
        is, and the pair then does not count as touched.

        Raises:
            InputError: something this kind needs was not given or is not there.
            NotAvailable: something this kind needs cannot be had now.
        """

    def check(  # noqa: B027 - most kinds have nothing to check
        self, directions: Sequence[Direction], context: Context
    ) -> None:
        """Look at the options before anything runs; cheap, and loads no model.

        Args:
            directions: of the pairs to be corrupted.
            context: as for `corrupt_texts`.

        Raises:
            InputError: as `corrupt_texts`.
            NotAvailable: as `corrupt_texts`.
        """


def text_of(pair: Pair, side: Side) -> str:
    """The text of a side."""
    return pair.target if side == "target" else pair.source


def code_of(pair: Pair, side: Side) -> str:
    """The language of a side."""
    return pair.direction.target if side == "target" else pair.direction.source


def other_side(pair: Pair, side: Side) -> tuple[str, Direction]:
    """The other side's text, and the direction from there into this side."""
    if side == "target":
        return pair.source, pair.direction
    return pair.target, pair.direction.reversed()


def sides_of(noise: Noise) -> tuple[Side, ...]:
    """The sides that noise hits."""
    return ("source", "target") if noise.side == "both" else (noise.side,)


def needed_directions(noise: Noise, directions: Sequence[Direction]) -> tuple[Direction, ...]:
    """From the other side into the noisy one, each once: what must be translated."""
    needed = {
        direction if side == "target" else direction.reversed(): None
        for direction in directions
        for side in sides_of(noise)
    }
    return tuple(needed)

"""A model in memory and how it answers: prompted, or given the source alone."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from mtlab.spec import Decoding, Direction

if TYPE_CHECKING:
    from mtlab.decoding import Hypothesis
    from mtlab.models import Adapter, Loaded, SharedBase
    from mtlab.runs.systems import TranslationModels


class Weighed(Protocol):
    """A model that knows what its weights take."""

    @property
    def bytes(self) -> int:
        """How much."""


Model = TypeVar("Model", bound=Weighed)


class Kept(Generic[Model]):
    """One model in memory, lent to one thread at a time.

    Attributes:
        name: for people.
        bytes: what it took when it was last lent.
    """

    def __init__(self, name: str, model: Model) -> None:
        self.name = name
        self.bytes = 0
        self._model = model
        self._turn = threading.Lock()

    @contextmanager
    def turn(self) -> Iterator[Model]:
        """The model, for as long as nobody else computes with it."""
        with self._turn:
            yield self._model
            self.bytes = self._model.bytes

    def described(self) -> str:
        """Its name, and how many adapters it carries."""
        count = getattr(self._model, "adapters", 0)
        return f"{self.name} with {count} adapter{'s' * (count != 1)}" if count else self.name


@dataclass(frozen=True)
class Prompted:
    """A causal model and how it is asked.

    Attributes:
        kept: the model.
        adapter: what makes it a run's; None for the base itself.
        template: the prompt.
        decoding: how answers are searched.
    """

    kept: Kept[SharedBase]
    adapter: Adapter | None
    template: Any
    decoding: Decoding

    def translate(self, sources: Sequence[str], direction: Direction) -> list[Hypothesis]:
        """Translate, as `mtlab.decoding.translate` does, and raise as it does."""
        from mtlab.decoding import translate

        with self._turn() as loaded:
            return translate(loaded, list(sources), direction, self.decoding, self.template)

    def drafts(self, source: str, direction: Direction) -> Iterator[Hypothesis]:
        """Translate one text, as `mtlab.decoding.stream` does, and raise as it does."""
        from mtlab.decoding import stream

        steps: Iterator[Hypothesis] | None = None
        while True:
            # A turn is one draft: readers alternate, and one that stops reading holds up nobody.
            with self._turn() as loaded:
                if steps is None:
                    steps = stream(loaded, source, direction, self.decoding, self.template)
                draft = next(steps, None)
            if draft is None:
                return
            yield draft

    @contextmanager
    def _turn(self) -> Iterator[Loaded]:
        with self.kept.turn() as base:
            yield base.switched(self.adapter)


@dataclass(frozen=True)
class Asked:
    """Translation models, which are given the source alone."""

    kept: Kept[TranslationModels]

    def translate(self, sources: Sequence[str], direction: Direction) -> list[Hypothesis]:
        """Translate, as `mtlab.decoding.translate_seq2seq` does, and raise as it does."""
        with self.kept.turn() as models:
            return models.translate(list(sources), direction)

    def drafts(self, source: str, direction: Direction) -> Iterator[Hypothesis]:
        """The answer alone."""
        yield from self.translate([source], direction)

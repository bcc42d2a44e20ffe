"""The corpus as the sections want it: the paper's pairs, rows filled with them, sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from mtlab.bench.training_texts import Row
from mtlab.corpora import Draw, draw_for, open_corpus
from mtlab.experiments.ladders import train_directions
from mtlab.prompts import Template, encode
from mtlab.settings import ASSETS, Settings
from mtlab.spec import Direction, RunSpec

DIRECTION = Direction.parse("de-en")
"""What is translated."""

LONGEST = 10_000  # tokens: none is left out


@dataclass(frozen=True)
class Texts:
    """All training pairs of a corpus in the paper's way, and its test sentences.

    Attributes:
        corpus: `wmt`, of which that is 74,623 pairs; or `everyday`.
        settings: the lab's.
    """

    corpus: str
    settings: Settings

    @cached_property
    def spec(self) -> RunSpec:
        """A run on all pairs, whatever its model."""
        directions = train_directions(self.corpus, self.settings)
        spec = RunSpec(corpus=self.corpus, train=directions, size=1, balance="proportional")
        return spec.with_changes(size=draw_for(spec, self.settings).available)

    @cached_property
    def drawn(self) -> Draw:
        """Its pairs."""
        return draw_for(self.spec, self.settings)

    @cached_property
    def tokenizer(self) -> Any:
        """Nano's, which the random models have."""
        from transformers import AutoTokenizer

        return AutoTokenizer.from_pretrained(ASSETS / "nano", local_files_only=True)

    def pairs(self, count: int, length: int) -> list[Row]:
        """The first pairs of the draw, in all its directions.

        Args:
            count: how many; fewer where there are no more.
            length: tokens at most; longer ones are left out, as a run leaves them out.
        """
        return self._encoded(self.drawn.pairs[:count], length)

    def rows(self, count: int, length: int) -> list[Row]:
        """Rows of one length, filled with pairs one after another: nothing is to be padded.

        Args:
            count: how many.
            length: tokens of each.
        """
        pairs = self._encoded(self.drawn.pairs[: count * 16], LONGEST)
        ids = [one for row, _ in pairs for one in row]
        labels = [one for _, row in pairs for one in row]
        while len(ids) < count * length:
            ids, labels = ids + ids, labels + labels
        cuts = [slice(place * length, (place + 1) * length) for place in range(count)]
        return [(ids[cut], labels[cut]) for cut in cuts]

    def sources(self, count: int) -> list[str]:
        """Sentences of the test set, to translate."""
        pairs = open_corpus(self.corpus, self.settings).test(DIRECTION)
        return [pair.source for pair in pairs[:count]]

    def _encoded(self, pairs: Sequence[Any], length: int) -> list[Row]:
        examples, _ = encode(self.tokenizer, Template.from_spec(self.spec), pairs, 0, length)
        return [(list(one.input_ids), list(one.labels)) for one in examples]

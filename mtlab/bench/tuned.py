"""The model that decoding is measured with: nano, fine-tuned a little so that it ends its answers.

An untuned model rambles to the limit, and what is measured then is no translation.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from mtlab.corpora import Pair, open_corpus
from mtlab.defaults import complete
from mtlab.errors import InputError
from mtlab.presets import resolve_base
from mtlab.prompts import Template, encode, prompt_ids
from mtlab.settings import Settings
from mtlab.spec import Direction, RunSpec

if TYPE_CHECKING:
    from mtlab.models import Loaded

TESTS = ("everyday", "wmt22")
"""What may be translated."""

LONGEST = 100
"""Prompt tokens of a WMT22 segment at most: nano was made on texts of 160 tokens."""


@dataclass(frozen=True)
class Tuned:
    """A fine-tuned model in a folder that goes with it.

    Attributes:
        spec: complete, of the run that it would be.
        settings: the lab's.
        pool: the training pairs it was not tuned on.
    """

    spec: RunSpec
    settings: Settings
    pool: tuple[Pair, ...]
    _folder: tempfile.TemporaryDirectory[str]

    @classmethod
    def make(cls, base: str, direction: str, size: int, beams: int, settings: Settings) -> Tuned:
        """Fine-tune a base on some everyday pairs.

        Raises:
            InputError: no such base or direction.
        """
        from mtlab.models import load, weights_precision
        from mtlab.training import fine_tune

        way = Direction.parse(direction)
        pool = open_corpus("everyday", settings).pool(way)
        found = resolve_base(base, settings)
        asked = RunSpec(base=base, train=[direction], size=size, decoding={"beams": beams})
        spec = complete(asked, found)
        loaded = load(found, precision=weights_precision(spec), settings=settings)
        template = Template.from_spec(spec, loaded.tokenizer)
        length = spec.training.max_length or 256
        examples, _ = encode(loaded.tokenizer, template, pool[:size], spec.seed, length)
        folder = tempfile.TemporaryDirectory(prefix="mtlab-bench-")
        fine_tune(
            loaded, examples, spec.training, spec.seed, Path(folder.name), lambda kind, **data: None
        )
        return cls(spec, settings, tuple(pool[size:]), folder)

    def close(self) -> None:
        """Remove the folder."""
        self._folder.cleanup()

    @property
    def direction(self) -> Direction:
        """From which language into which."""
        return self.spec.train[0]

    @property
    def converted(self) -> Path:
        """Where its converted forms lie."""
        return Path(self._folder.name) / "converted"

    @cached_property
    def fp32(self) -> Loaded:
        """The model in fp32."""
        return self._loaded("fp32")

    @cached_property
    def fast(self) -> Loaded:
        """The model in the format that a run takes by default on this machine."""
        return self._loaded("auto")

    def _loaded(self, precision: str) -> Loaded:
        from mtlab.models import load_run

        return load_run(Path(self._folder.name), self.spec, self.settings, precision=precision)  # type: ignore[arg-type]

    @cached_property
    def template(self) -> Template:
        """The prompt."""
        return Template.from_spec(self.spec, self.fp32.tokenizer)

    def tests(self, name: str, limit: int) -> list[Pair]:
        """Pairs to translate: everyday's own, then those it was not tuned on; or WMT22's that are
        no longer than the model's training texts.

        Raises:
            InputError: no such test set.
            NotAvailable: WMT22 cannot be had here.
        """
        if name not in TESTS:
            raise InputError(
                f"there is no test set '{name}'", field="test", fix=f"choose {' or '.join(TESTS)}"
            )
        if name == "everyday":
            everyday = open_corpus("everyday", self.settings)
            return [*everyday.test(self.direction), *self.pool][:limit]
        news = open_corpus("wmt", self.settings).test(self.direction)
        tokenizer = self.fp32.tokenizer
        return [
            pair
            for pair in news
            if len(prompt_ids(tokenizer, self.template, pair.source, self.direction)) <= LONGEST
        ][:limit]

"""Sentence-level noise: one side becomes a machine translation of the other side.

This is the paper's main kind. A weak translator, such as a run on nano, makes realistic noise: the
words are about right, the sentence is not. What was translated before is kept.
"""

from __future__ import annotations

from collections.abc import Sequence

from mtlab.corpora.pairs import Pair
from mtlab.errors import InputError
from mtlab.noise.kinds import Context, Kind, Side, Translator, other_side, text_of
from mtlab.noise.translations import Translations
from mtlab.spec import Direction

BATCH = 128
"""Texts translated between two looks at whether to go on, and kept together."""


class SentenceNoise(Kind):
    """Replaces a side by the other side, translated by a machine."""

    def corrupt_texts(self, pairs: Sequence[Pair], side: Side, context: Context) -> list[str]:
        """The translations, all of a direction together, each on one line.

        Where the translator has nothing to say the side stays as it is.

        Raises:
            InputError: no translator was given, or it does not know a direction.
            NotAvailable: the translator cannot be loaded now.
        """
        translator = _translator(context)
        wanted: dict[Direction, dict[str, None]] = {}
        for pair in pairs:
            text, direction = other_side(pair, side)
            wanted.setdefault(direction, {})[text] = None
        total = sum(map(len, wanted.values()))
        done = 0
        found: dict[tuple[str, Direction], str] = {}
        for direction, texts in wanted.items():
            kept = Translations(context.settings, translator.identity(direction), direction)
            missing = [text for text in texts if text.strip() and text not in kept]
            done += len(texts) - len(missing)
            for start in range(0, len(missing), BATCH):
                batch = missing[start : start + BATCH]
                if context.on_progress is not None:
                    context.on_progress(done, total)
                answers = translator.translate(batch, direction)
                kept.add(dict(zip(batch, map(_one_line, answers), strict=True)))
                done += len(batch)
            found.update({(text, direction): kept.get(text) for text in texts})
        if context.on_progress is not None:
            context.on_progress(done, total)
        return [found[other_side(pair, side)] or text_of(pair, side) for pair in pairs]

    def check(self, directions: Sequence[Direction], context: Context) -> None:
        """Whether there is a translator.

        Raises:
            InputError: none was given.
        """
        _translator(context)


def _translator(context: Context) -> Translator:
    if context.translator is None:
        raise InputError(
            "sentence noise needs a translator, and none is given",
            field="noise.translator",
            fix="give a finished run's id, latest for the newest one, or a translation model of "
            "the hub such as facebook/nllb-200-distilled-600M",
        )
    return context.translator


def _one_line(text: str) -> str:
    return " ".join(text.split())


KIND = SentenceNoise()

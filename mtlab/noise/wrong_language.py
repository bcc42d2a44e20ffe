"""Sides in the wrong language: the other side left untranslated, or a third language.

The third language is looked up in the corpus, which must have the sentence in it: the everyday
corpus has all of its own in four languages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mtlab.corpora.pairs import Corpus, Pair, normalised
from mtlab.errors import InputError
from mtlab.languages import language
from mtlab.noise.kinds import Context, Kind, Side, other_side
from mtlab.spec import Direction


class WrongLanguageNoise(Kind):
    """Replaces a side by the same sentence in another language than it should be in."""

    def corrupt_texts(self, pairs: Sequence[Pair], side: Side, context: Context) -> list[str]:
        """The other side's text, or with `noise.language` the sentence in that language.

        A sentence that the corpus lacks in the third language is left untranslated instead.

        Raises:
            InputError: the corpus has none of these sentences in the third language.
        """
        untranslated = [other_side(pair, side)[0] for pair in pairs]
        code = context.noise.language
        if code is None or not pairs:
            return untranslated
        directions = tuple(dict.fromkeys(pair.direction for pair in pairs))
        self.check(directions, context)
        known = {
            direction: [
                (name, _translations(context.corpus, getattr(direction, name), code))
                for name in ("source", "target")
            ]
            for direction in directions
        }
        found = [_looked_up(pair, known[pair.direction]) for pair in pairs]
        if not any(found):
            raise _lacking(context.corpus, code, "any of these sentences")
        return [text or other for text, other in zip(found, untranslated, strict=True)]

    def check(self, directions: Sequence[Direction], context: Context) -> None:
        """Whether the corpus has the third language.

        Raises:
            InputError: it has not, or a direction's own language was given.
        """
        code = context.noise.language
        if code is None:
            return
        available = {str(direction) for direction in context.corpus.train_directions()}
        for direction in directions:
            own = (direction.source, direction.target)
            if code in own:
                raise InputError(
                    f"{language(code).name} is one of the two languages of {direction}",
                    field="noise.language",
                    fix="give a third one, or none to leave the other side untranslated",
                )
            if not any(f"{one}-{code}" in available or f"{code}-{one}" in available for one in own):
                raise _lacking(context.corpus, code, f"the sentences of {direction}")


def _translations(corpus: Corpus, known: str, wanted: str) -> Mapping[str, str]:
    """The corpus's texts in a third language by their normalised text in a known one."""
    available = {str(direction): direction for direction in corpus.train_directions()}
    found: dict[str, str] = {}
    there, back = available.get(f"{known}-{wanted}"), available.get(f"{wanted}-{known}")
    if there is not None:
        for pair in corpus.pool(there):
            found.setdefault(normalised(pair.source), pair.target)
    elif back is not None:
        for pair in corpus.pool(back):
            found.setdefault(normalised(pair.target), pair.source)
    return found


def _looked_up(pair: Pair, known: Sequence[tuple[str, Mapping[str, str]]]) -> str | None:
    for name, translations in known:
        text = translations.get(normalised(getattr(pair, name)))
        if text:
            return text
    return None


def _lacking(corpus: Corpus, code: str, what: str) -> InputError:
    return InputError(
        f"{corpus.title} does not have {what} in {language(code).name}",
        field="noise.language",
        fix="give a language it has, or none to leave the other side untranslated",
    )


KIND = WrongLanguageNoise()

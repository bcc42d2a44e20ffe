"""A text as words and what stands between them, in place: put together it is the text again.

Words are runs of letters and digits, with the hyphens and apostrophes inside them. Where words are
not set apart, Japanese is cut by MeCab and Chinese by the character.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

from mtlab.noise.tokens import UNSPACED, tokens

_WORD = re.compile(r"\d+(?:[.,:]\d+)+|\w+(?:[-’'‑]\w+)*")
_CJK_WORD = re.compile(
    r"\d+(?:[.,:]\d+)+|[\u3005-\u30ff\u3400-\u9fff]|[^\W\u3005-\u30ff\u3400-\u9fff]+"
)


@dataclass(frozen=True)
class Pieces:
    """A text cut in place.

    Attributes:
        parts: `between, word, between, word ... between`; an odd number.
        code: its language.
    """

    parts: tuple[str, ...]
    code: str

    @classmethod
    def of(cls, text: str, code: str) -> Pieces:
        """Cut a text."""
        parts = []
        end = 0
        for start, stop in _spans(text, code):
            parts += [text[end:start], text[start:stop]]
            end = stop
        return cls((*parts, text[end:]), code)

    @property
    def words(self) -> tuple[str, ...]:
        """The words, in order."""
        return self.parts[1::2]

    def __str__(self) -> str:
        return "".join(self.parts)

    def with_words(self, words: Sequence[str]) -> Pieces:
        """The same with other words in the same places; an empty one takes a space with it."""
        parts = list(self.parts)
        parts[1::2] = words
        for place in range(1, len(parts), 2):
            if not parts[place]:
                _close_the_gap(parts, place)
        return Pieces(tuple(parts), self.code)

    def with_word(self, number: int, word: str) -> Pieces:
        """The same with one word replaced, in the old word's case; "" removes it."""
        words = list(self.words)
        words[number] = cased_like(words[number], word) if word else ""
        if not word and number == 0 and len(words) > 1 and self.words[0][:1].isupper():
            words[1] = words[1][:1].upper() + words[1][1:]
        return self.with_words(words)

    def swapped(self, number: int) -> Pieces:
        """The same with a word and the next exchanged; a capital stays at the beginning."""
        words = list(self.words)
        first, second = words[number], words[number + 1]
        if number == 0 and first[:1].isupper() and not first.isupper():
            first, second = first[:1].lower() + first[1:], second[:1].upper() + second[1:]
        words[number], words[number + 1] = second, first
        return self.with_words(words)

    def with_two_swapped(self, chance: random.Random) -> Pieces:
        """Two neighbouring words exchanged, or in a single word two letters; else the same.

        What a kind of noise does where it finds nothing else to do.
        """
        words = self.words
        places = [n for n in range(len(words) - 1) if words[n].lower() != words[n + 1].lower()]
        if places:
            return self.swapped(chance.choice(places))
        if words:
            number = chance.randrange(len(words))
            return self.with_word(number, letters_swapped(words[number], chance))
        return self


def cased_like(old: str, new: str) -> str:
    """The new word with a capital where the old one has one."""
    return new[:1].upper() + new[1:] if old[:1].isupper() else new


def letters_swapped(word: str, chance: random.Random) -> str:
    """The word with two neighbouring letters exchanged; the same when all are alike."""
    places = [n for n in range(len(word) - 1) if word[n].lower() != word[n + 1].lower()]
    if not places:
        return word
    n = chance.choice(places)
    swapped = word[:n] + word[n + 1] + word[n] + word[n + 2 :]
    capital = word[:1].isupper() and not word.isupper()
    return swapped.lower().capitalize() if capital and n == 0 else swapped


def _spans(text: str, code: str) -> list[tuple[int, int]]:
    if code != "ja":
        cut = _CJK_WORD if code in UNSPACED else _WORD
        return [found.span() for found in cut.finditer(text)]
    spans = []
    end = 0
    for token in tokens(text, code):
        start = text.find(token, end)
        if start < 0:  # MeCab has changed it: a width or a rare mark
            continue
        end = start + len(token)
        if any(map(str.isalnum, token)):
            spans.append((start, end))
    return spans


def _close_the_gap(parts: list[str], place: int) -> None:
    """Of the white space around a word that is gone, keep what the rest needs."""
    before, after = parts[place - 1], parts[place + 1]
    if before[-1:].isspace() and (not after or after[:1].isspace() or after[:1] in ",.;:!?…"):
        parts[place - 1] = before[:-1]
    elif place == 1 and not before:
        parts[place + 1] = after.lstrip()

"""Typos: neighbouring keys, swapped, lost and doubled letters, on each language's own keyboard.

Where text is not typed letter by letter (Chinese, Japanese) characters are swapped, lost and
doubled alone.
"""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache

from mtlab.corpora.pairs import Pair
from mtlab.noise.kinds import Context, Kind, Side, code_of, text_of

LETTERS_PER_TYPO = 12
"""One typo for so many letters, and at least one."""

_QWERTY = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_CYRILLIC = ("йцукенгшщзхъ", "фывапролджэ", "ячсмитьбю")
_ROWS: dict[str, tuple[str, ...]] = {
    "cs": ("qwertzuiopú", "asdfghjklů", "yxcvbnm"),
    "da": ("qwertyuiopå", "asdfghjklæø", "zxcvbnm"),
    "de": ("qwertzuiopü", "asdfghjklöä", "yxcvbnm"),
    "es": ("qwertyuiop", "asdfghjklñ", "zxcvbnm"),
    "fi": ("qwertyuiopå", "asdfghjklöä", "zxcvbnm"),
    "fr": ("azertyuiop", "qsdfghjklmù", "wxcvbn"),
    "hr": ("qwertzuiopšđ", "asdfghjklčć", "yxcvbnm"),
    "is": ("qwertyuiopð", "asdfghjklæ", "zxcvbnmþ"),
    "ru": _CYRILLIC,
    "sk": ("qwertzuiopú", "asdfghjklô", "yxcvbnm"),
    "sv": ("qwertyuiopå", "asdfghjklöä", "zxcvbnm"),
    "uk": ("йцукенгшщзхї", "фівапролджє", "ячсмитьбю"),
}


class TypoNoise(Kind):
    """Mistypes about one letter in twelve."""

    def corrupt_texts(self, pairs: Sequence[Pair], side: Side, context: Context) -> list[str]:
        """The mistyped texts; numbers, marks and spaces stay."""
        return [
            _mistyped(text_of(pair, side), code_of(pair, side), context.chance(pair, side))
            for pair in pairs
        ]


def _mistyped(text: str, code: str, chance: random.Random) -> str:
    places = [n for n, letter in enumerate(text) if letter.isalpha()]
    count = min(len(places), max(1, round(len(places) / LETTERS_PER_TYPO)))
    keys = list(text)
    # From the right, so that what one typo does to the length moves no other.
    for place in sorted(chance.sample(places, count), reverse=True):
        _slip(keys, place, code, chance)
    typed = "".join(keys)
    # Two slips may undo one another, and a text of one letter cannot lose it.
    return typed if typed.strip() and typed != text else _doubled(text, places)


def _slip(keys: list[str], place: int, code: str, chance: random.Random) -> None:
    """One typo at a place."""
    letter = keys[place]
    near = _neighbours(code).get(letter.lower())
    following = keys[place + 1] if place + 1 < len(keys) else ""
    ways = ["double", "lose"]
    if len(following) == 1 and following.isalpha() and following.lower() != letter.lower():
        ways.append("swap")
    if near:
        ways += ["near", "near", "near"]
    way = chance.choice(ways)
    if way == "near" and near:
        key = chance.choice(near)
        keys[place] = key.upper() if letter.isupper() else key
    elif way == "swap":
        keys[place], keys[place + 1] = following, letter
    elif way == "lose":
        keys[place] = ""
    else:
        keys[place] = letter + letter.lower()


def _doubled(text: str, places: Sequence[int]) -> str:
    if not places:
        return text
    place = places[-1]
    return text[: place + 1] + text[place].lower() + text[place + 1 :]


@lru_cache(maxsize=32)
def _neighbours(code: str) -> Mapping[str, str]:
    """The keys around each key; an accented letter off the keyboard is near its bare one."""
    rows = () if code in ("ja", "zh") else _ROWS.get(code, _QWERTY)
    near: dict[str, str] = {}
    for number, row in enumerate(rows):
        for column, key in enumerate(row):
            beside = row[max(0, column - 1) : column] + row[column + 1 : column + 2]
            # A row is shifted by half a key against the one above it.
            above = rows[number - 1][column : column + 2] if number else ""
            below = rows[number + 1] if number + 1 < len(rows) else ""
            near[key] = beside + above + below[max(0, column - 1) : column + 1]
    for letter in map(chr, range(0xC0, 0x180)):
        bare = unicodedata.normalize("NFD", letter)[0]
        if rows and letter.islower() and letter not in near and bare in near:
            near[letter] = bare
    return near


KIND = TypoNoise()

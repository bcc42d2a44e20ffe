"""Which language a segment is in, with a verdict only where there is ground for one.

py3langid, limited to the lab's languages: with all of its 97, short segments drift to languages
nobody asked about. What it gets wrong is mostly no language at all: names, titles, numbers, one
or two words, a kanji heading. `detect_language` therefore answers None on such, and
`off_target_language` asks again without the names, and asks the source.

Not covered: segments that mix languages (the larger part decides), transliterated text, and
languages the lab does not know.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Any

from mtlab.languages import LANGUAGES
from mtlab.spec import Direction

UNDETERMINED = "und"
"""The ISO 639-2 code for a language that cannot be determined."""

RELATIVES = (("cs", "sk"), ("ru", "uk"), ("da", "sv"))
"""Languages so close that the identifier alone does not tell them apart: letters must."""

MARGIN = 0.25
"""How far ahead (in probability) the best language must be of the language in question."""

TELLING = {"cs": "ěřů", "sk": "ľĺŕôä", "ru": "ыэъё", "uk": "іїєґ", "da": "æø", "sv": "äö"}
"""Letters that a language has and its relative has not."""

LATIN_WORDS = 2
LATIN_LETTERS = 9
HAN_LETTERS = 4
HAN_ONLY = 10
"""Up to so many Han characters without kana, Chinese and Japanese look alike."""

_NOT_LANGUAGE = re.compile(r"https?://\S+|\S+@\S+|[@#]\w+#?|[A-Za-z.,:/%-]*\d[A-Za-z\d.,:/%-]*")
_WORD = re.compile(r"[^\W\d_]+(?:['’\-][^\W\d_]+)*")
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")
_KANA = re.compile(r"[\u3040-\u30ff]")
_SCRIPTS = {
    "Latn": re.compile(r"[A-Za-z\u00aa-\u024f\u1e00-\u1eff]"),
    "Cyrl": re.compile(r"[\u0400-\u052f]"),
    "Hans": _HAN,
    "Jpan": re.compile(r"[\u3005\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]"),
}


@cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(list(LANGUAGES))
    return identifier


@lru_cache(maxsize=8192)
def _shares(text: str) -> dict[str, float]:
    """Probability per language, best first; what relatives share goes to the one it is in."""
    shares = dict(_identifier().rank(text))
    for one, other in RELATIVES:
        winner = _by_letters(text, one, other)
        if winner:
            total = shares.pop(one) + shares.pop(other)
            shares |= {one: 0.0, other: 0.0, winner: total}
    return dict(sorted(shares.items(), key=lambda item: -item[1]))


def _by_letters(text: str, one: str, other: str) -> str | None:
    """Which of two relatives a text is in, if it has letters of just one."""
    letters = set(text.lower())
    found = [code for code in (one, other) if letters & set(TELLING[code])]
    return found[0] if len(found) == 1 else None


def detect_language(text: str) -> str | None:
    """The code of the language a text is in, or None where it cannot be told.

    None for a text with too few letters (two short words, three Han characters), for one whose two
    best languages are too close, and for a short row of Han characters that may be Chinese or
    Japanese. Relatives (Czech and Slovak, Russian and Ukrainian) are told apart on longer text.

    Args:
        text: one segment.
    """
    text = _language_part(text)
    if not _long_enough(text):
        return None
    (best, share), (second, next_share), *_ = _shares(text).items()
    return None if share - next_share < MARGIN or _alike(text, best, second) else best


def off_target_language(
    source: str, hypothesis: str, direction: Direction, reference: str | None = None
) -> str | None:
    """The wrong language that a hypothesis is in; None if it is in the target, or may be.

    A verdict is given only if the text as a whole is in another language, what is left without
    names is too, and neither the source nor the reference is taken for that language as well: a
    name is a name in every language.

    Args:
        source: the source segment.
        hypothesis: the translation.
        direction: its target is the language asked for.
        reference: the reference, if there is one.

    Returns:
        The language's code; `UNDETERMINED` for a script that no language of the lab is written in.
    """
    text = _language_part(hypothesis)
    best = _other_language(text, direction.target)
    if best is None:
        return None
    plain = _without_names(text)
    if plain and next(iter(_shares(plain))) == direction.target:
        return None
    if not plain and set(_WORD.findall(text)) <= set(_WORD.findall(source)):
        return None
    if reference and _other_language(_language_part(reference), direction.target) == best:
        return None
    if _other_language(_language_part(source), direction.source) == best:
        return None
    return best


def _other_language(text: str, target: str) -> str | None:
    """The language of a text if it is clearly not the target."""
    if _foreign_script(text, target):
        best = UNDETERMINED if _unknown_script(text) else next(iter(_shares(text)))
        return None if best == target else best
    if not _long_enough(text):
        return None
    shares = _shares(text)
    best = next(iter(shares))
    if best == target or _alike(text, best, target):
        return None
    return best if shares[best] - shares.get(target, 0.0) >= MARGIN else None


def _foreign_script(text: str, target: str) -> bool:
    """Whether most letters, and at least two, are of a script the target is not written in."""
    letters = "".join(filter(str.isalpha, text))
    foreign = len(letters) - len(_SCRIPTS[LANGUAGES[target].script].findall(letters))
    return foreign >= 2 and foreign > len(letters) / 2


def _unknown_script(text: str) -> bool:
    """Whether most letters are of a script that no language of the lab is written in."""
    letters = "".join(filter(str.isalpha, text))
    known = sum(len(_SCRIPTS[script].findall(letters)) for script in ("Latn", "Cyrl", "Jpan"))
    return known < len(letters) / 2


def _language_part(text: str) -> str:
    """A text without addresses, handles and anything with a digit."""
    return " ".join(_NOT_LANGUAGE.sub(" ", text).split())


def _without_names(text: str) -> str:
    """A text without its capitalised words, the first word included."""
    return " ".join(word for word in _WORD.findall(text) if not word[0].isupper())


def _long_enough(text: str) -> bool:
    han = len(_HAN.findall(text)) + len(_KANA.findall(text))
    if han:
        return han >= HAN_LETTERS
    words = _WORD.findall(text)
    return len(words) >= LATIN_WORDS and sum(map(len, words)) >= LATIN_LETTERS


def _alike(text: str, best: str, other: str) -> bool:
    """Whether a text in `best` might as well be in `other`."""
    if {best, other} == {"zh", "ja"}:
        return not _KANA.search(text) and len(_HAN.findall(text)) <= HAN_ONLY
    return any({best, other} == set(pair) and not _by_letters(text, *pair) for pair in RELATIVES)

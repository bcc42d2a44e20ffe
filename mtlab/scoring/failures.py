"""How a translation fails, segment by segment: what a score alone hides.

    off-target   in another language than the one asked for
    copy         the source again, nearly word for word
    empty        nothing, or no letter and no digit
    repetition   the same words over and over, which neither source nor reference does
    truncated    the decoder was cut off before the model ended

A segment may fail in several ways: a copied source is off-target too. Thresholds were set on the
references of the WMT news sets and on short everyday sentences, where a flag is a false alarm;
`tests/unit/scoring/test_failures.py` plants each failure in sentences of its own.
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Iterable
from difflib import SequenceMatcher

from mtlab.scoring.language_id import detect_language, is_off_target
from mtlab.spec import Direction

FAILURES = ("off-target", "copy", "empty", "repetition", "truncated")
"""Every flag, in the order in which a segment's flags are listed."""

COPIED = 0.75
"""The share of words in common with the source, in order, from which a hypothesis is a copy."""

LOOPS = 3
"""A phrase said more than this many times in a row is a loop."""

PHRASE = 20
"""The longest phrase, in words, that is looked for in a row; longer loops compress well."""

COMPRESSION = 2.4
"""A text that zlib makes smaller than 1/2.4 repeats itself; the threshold Whisper decodes with."""

_STUTTER = re.compile(r"(.{1,6}?)\1{9,}")
_TOKEN = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]|[^\W_]+(?:['’][^\W_]+)*")


def flag(
    source: str, reference: str | None, hypothesis: str, direction: Direction, ended: bool = True
) -> tuple[str, ...]:
    """The ways in which one translation fails.

    Args:
        source: the source segment.
        reference: its reference, or None; it tells names and loan words from copied words.
        hypothesis: the translation.
        direction: from which language into which.
        ended: whether the model ended the translation itself.

    Returns:
        Names out of `FAILURES`, in that order; empty if there is nothing to report.
    """
    words = _tokens(hypothesis)
    found = {
        "empty": not words,
        "off-target": bool(words) and is_off_target(source, hypothesis, direction, reference),
        "copy": is_copy(source, hypothesis, reference),
        "repetition": _repeats(hypothesis, (source, reference or "")),
        "truncated": not ended,
    }
    return tuple(name for name in FAILURES if found[name])


def shares(flags: Iterable[tuple[str, ...]]) -> dict[str, float]:
    """The share of segments with each failure, 0 to 1, for every name in `FAILURES`.

    Args:
        flags: what `flag` gave, one per segment.
    """
    rows = list(flags)
    return {name: sum(name in row for row in rows) / max(1, len(rows)) for name in FAILURES}


def is_copy(source: str, hypothesis: str, reference: str | None = None) -> bool:
    """Whether a hypothesis is the source again.

    What the reference has as well (names, numbers, loan words) is left out of the comparison, so
    that a sentence of names is no copy. Without a reference, words with a capital or a digit are
    left out, unless all words are.

    Args:
        source: the source segment.
        hypothesis: the translation.
        reference: its reference, if there is one.
    """
    given, said = _tokens(source), _tokens(hypothesis)
    needed = COPIED * max(len(given), len(said))
    if not given or min(len(given), len(said)) < needed or _common(given, said) < needed:
        return False
    kept = set(_tokens(reference)) if reference else _names(source)
    own = [word for word in given if word not in kept]
    if not own and not reference:
        own = given
    return bool(own) and _common(own, said) >= COPIED * len(own)


def _common(one: list[str], other: list[str]) -> int:
    """How many words two texts have in common, in order."""
    blocks = SequenceMatcher(None, one, other, autojunk=False).get_matching_blocks()
    return sum(block.size for block in blocks)


def _tokens(text: str) -> list[str]:
    """Words, and single characters where words are not set apart; case is dropped."""
    return _TOKEN.findall(unicodedata.normalize("NFKC", text).casefold())


def _names(text: str) -> set[str]:
    """Words with a capital or a digit, other than the first."""
    words = _TOKEN.findall(unicodedata.normalize("NFKC", text))
    return {
        word.casefold()
        for place, word in enumerate(words)
        if (place and word[0].isupper()) or any(letter.isdigit() for letter in word)
    }


def _repeats(hypothesis: str, others: tuple[str, ...]) -> bool:
    """Whether a text loops by one of the measures, and source and reference less by the same."""
    for measure, most in _MEASURES:
        extent = measure(hypothesis)
        if extent > most and all(measure(text) < extent for text in others):
            return True
    return False


def _loops(text: str) -> float:
    """How often the phrase that is most often said in a row is said."""
    words = _tokens(text)
    most = 1
    for length in range(1, min(PHRASE, len(words) // 2) + 1):
        run = 0
        for place in range(length, len(words)):
            run = run + 1 if words[place] == words[place - length] else 0
            most = max(most, run // length + 1)
    return most


def _stutter(text: str) -> float:
    """The length of the longest row of ten or more of the same few characters, such as "hahaha"."""
    return max((len(row[0]) for row in _STUTTER.finditer("".join(text.split()))), default=0)


def _compression(text: str) -> float:
    data = text.encode()
    return len(data) / len(zlib.compress(data))


_MEASURES = ((_loops, LOOPS), (_stutter, 0), (_compression, COMPRESSION))

__all__ = ["FAILURES", "detect_language", "flag", "is_copy", "shares"]

"""Text that goes in circles: a phrase in a row, a stutter of letters, or text that compresses."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable

from mtlab.scoring.failures.words import tokens

LOOPS = 3
"""A phrase said more than this many times in a row is a loop."""

PHRASE = 20
"""The longest phrase, in words, that is looked for in a row; longer loops compress well."""

COMPRESSION = 2.4
"""A text that zlib makes smaller than 1/2.4 repeats itself; the threshold Whisper decodes with."""

_STUTTER = re.compile(r"(.{1,6}?)\1{9,}")


def repeats(hypothesis: str, others: tuple[str, ...]) -> bool:
    """Whether a text loops by one of the measures, and source and reference less by the same."""
    for measure, most in _MEASURES:
        extent = measure(hypothesis)
        if extent > most and all(measure(text) < extent for text in others):
            return True
    return False


def _loops(text: str) -> float:
    """How often the phrase that is most often said in a row is said."""
    words = tokens(text)
    if len(set(words)) == len(words):
        return 1.0
    most = 1
    for length in range(1, min(PHRASE, len(words) // 2) + 1):
        run = 0
        for same in map(str.__eq__, words[length:], words):
            run = run + 1 if same else 0
            if run >= length * most:
                most = run // length + 1
    return float(most)


def _stutter(text: str) -> float:
    """The length of the longest row of ten or more of the same few characters, such as "hahaha"."""
    return float(max((len(row[0]) for row in _STUTTER.finditer("".join(text.split()))), default=0))


def _compression(text: str) -> float:
    data = text.encode()
    return len(data) / len(zlib.compress(data))


_MEASURES: tuple[tuple[Callable[[str], float], float], ...] = (
    (_loops, LOOPS),
    (_stutter, 0),
    (_compression, COMPRESSION),
)

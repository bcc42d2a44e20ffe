"""Translations that go on after the end, or end before it."""

from __future__ import annotations

import re

from mtlab.scoring.failures.words import extent, tokens

REFERENCE_RATIO = 1.75
"""Over-long: more than so many times the reference ..."""

SOURCE_RATIO = 1.2
"""... and so many times the source, because a reference may be short for its source."""

BLIND_RATIO = 2.8
"""Over-long without a reference: more than so many times the source."""

FLOOR = 15
"""And at least so many letters longer than either: "Ja." may be "Yes, of course."."""

EARLY = 0.8
"""A text without an end mark stops early if it is shorter than this share of its reference."""

BLIND_EARLY = 0.7
"""The same share of the source, where there is no reference."""

_END = re.compile(r"[.!?…。！？｡؟]['\"”’“‘»«›‹)\]）】」』〉》*_\s]*$")
_OPEN = re.compile(r"[,;、，；(\[（【「『„«]\s*$")
_MARKS = "'\"”’“‘»«›‹)]）】」』〉》"


def is_over_long(source: str, hypothesis: str, reference: str | None = None) -> bool:
    """Whether a hypothesis is far longer than its source and its reference call for.

    Args:
        source: the source segment.
        hypothesis: the translation.
        reference: its reference, if there is one; without, only the grossest are told.
    """
    said, asked = extent(hypothesis), extent(source)
    if not reference:
        return said > BLIND_RATIO * asked and said > asked + FLOOR
    meant = extent(reference)
    return (
        said > REFERENCE_RATIO * meant
        and said > SOURCE_RATIO * asked
        and said > max(meant, asked) + FLOOR
    )


def stops_early(source: str, hypothesis: str, reference: str | None = None) -> bool:
    """Whether a hypothesis stops in mid-sentence where the source does not.

    It does if the source, and the reference if there is one, ends in an end mark (`.`, `!`, `?`,
    `…`, `。`) and the hypothesis in none and is shorter than it should be, or ends in a comma, a
    semicolon or an opening bracket. A sentence that only lacks its full stop is none of these.

    Args:
        source: the source segment.
        hypothesis: the translation.
        reference: its reference, if there is one.
    """
    if not _ends(source) or _ends(hypothesis) or (reference and not _ends(reference)):
        return False
    if _OPEN.search(hypothesis) and len(tokens(hypothesis)) > 0:
        return True
    if reference:
        return extent(hypothesis) < EARLY * extent(reference)
    return extent(hypothesis) < BLIND_EARLY * extent(source)


def _ends(text: str) -> bool:
    return _END.search(text) is not None

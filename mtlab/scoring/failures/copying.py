"""Telling a copy of the source from a translation that shares its names and loan words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from difflib import SequenceMatcher

from mtlab.scoring.failures.words import names, tokens

COPIED = 0.75
"""The share of words in common with the source, in order, from which a hypothesis is a copy."""


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
    given, said = tokens(source), tokens(hypothesis)
    needed = COPIED * max(len(given), len(said))
    if not given or min(len(given), len(said)) < needed or not _shares(given, said, needed):
        return False
    kept = set(tokens(reference)) if reference else names(source)
    own = [word for word in given if word not in kept]
    if not own and not reference:
        own = list(given)
    return bool(own) and _shares(own, said, COPIED * len(own))


def _shares(one: Sequence[str], other: Sequence[str], needed: float) -> bool:
    """Whether two texts have so many words in common, in order."""
    if (Counter(one) & Counter(other)).total() < needed:  # cheap, and settles most translations
        return False
    blocks = SequenceMatcher(None, one, other, autojunk=False).get_matching_blocks()
    return sum(block.size for block in blocks) >= needed

"""Sentences to try a translation with, in every language of the lab.

`assets/examples.tsv` was written for this project by a language model; no native speaker has
checked it. It is there for the languages that the everyday corpus lacks.
"""

from __future__ import annotations

from functools import cache

from mtlab.corpora.everyday import open_everyday, read_rows
from mtlab.corpora.multiway import MultiwayCorpus
from mtlab.corpora.pairs import Corpus, Pair
from mtlab.settings import ASSETS
from mtlab.spec import Direction

SHOWN = 4
"""Examples offered at a time."""


def example_pairs(direction: Direction, page: int = 0) -> tuple[Pair, ...]:
    """A few sentences with a person's translation: everyday test sentences, where there are such.

    Args:
        direction: from which language into which.
        page: which few; they begin again after the last.

    Raises:
        NotAvailable: the installation lacks its files.
    """
    everyday, phrases = _corpora()
    corpus = everyday if direction in everyday.test_directions() else phrases
    pairs = corpus.test(direction)
    start = page * SHOWN % len(pairs)
    return tuple(pairs[start : start + SHOWN])


@cache
def _corpora() -> tuple[Corpus, Corpus]:
    phrases = MultiwayCorpus(
        name="examples",
        title="the example sentences",
        licence="CC0-1.0",
        train={},
        test=read_rows(ASSETS / "examples.tsv"),
    )
    return open_everyday(), phrases

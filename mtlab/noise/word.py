"""Word-level noise: one side becomes a word-by-word translation of the other.

This is what the paper calls noise at word level: the words are there, the grammar and the idiom are
not. The lexicon is induced from the corpus itself. A small corpus gives a small lexicon with wrong
entries among the rare words; words without an entry are copied.
"""

from __future__ import annotations

import re

from mtlab.corpora.pairs import Corpus, Pair
from mtlab.noise.kinds import Side
from mtlab.noise.lexicon import lexicon
from mtlab.settings import Settings

_END = re.compile(r"\s*[^\w\s]*\s*$")


class WordNoise:
    """Replaces a side by the other side's words, translated one by one."""

    name = "word"
    title = "word by word"

    def corrupt_text(
        self, pair: Pair, side: Side, seed: int, corpus: Corpus, settings: Settings
    ) -> str:
        """The other side, word by word, with this side's first capital and last punctuation.

        Raises:
            InputError: the corpus has no training pairs in this direction to learn words from.
        """
        to_target = side == "target"
        direction = pair.direction if to_target else pair.direction.reversed()
        text, clean = (pair.source, pair.target) if to_target else (pair.target, pair.source)
        words = lexicon(corpus, direction, settings).word_by_word(text)
        return _dressed_like(clean, words)


def _dressed_like(clean: str, words: str) -> str:
    """The words with the clean text's capital at the beginning and its marks at the end."""
    bare, ending = _END.sub("", words), _END.search(clean)
    if not bare:
        return words
    first = next((letter for letter in clean if letter.isalpha()), "")
    place = next((n for n, letter in enumerate(bare) if letter.isalpha()), 0)
    if first.isupper():
        bare = bare[:place] + bare[place].upper() + bare[place + 1 :]
    return bare + (ending[0].rstrip() if ending else "")

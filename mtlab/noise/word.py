"""Word-level noise: one side becomes a word-by-word translation of the other.

This is what the paper calls noise at word level: the words are there, the grammar and the idiom are
not. The lexicon is induced from the corpus itself, or read from a dictionary file. A small corpus
gives a small lexicon with wrong entries among the rare words; words without an entry are copied.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from mtlab.corpora.pairs import Pair
from mtlab.noise.dictionary import check_dictionary, dictionary
from mtlab.noise.kinds import Context, Kind, Side, needed_directions, other_side, text_of
from mtlab.noise.lexicon import Lexicon, lexicon
from mtlab.spec import Direction

_END = re.compile(r"\s*[^\w\s]*\s*$")


class WordNoise(Kind):
    """Replaces a side by the other side's words, translated one by one."""

    def corrupt_texts(self, pairs: Sequence[Pair], side: Side, context: Context) -> list[str]:
        """The other sides, word by word, with this side's first capital and last punctuation.

        Raises:
            InputError: the corpus has no training pairs in a direction to learn words from, or the
                dictionary cannot be used.
        """
        others = [other_side(pair, side) for pair in pairs]
        needed = dict.fromkeys(direction for _, direction in others)
        lexicons = {direction: _lexicon(direction, context) for direction in needed}
        return [
            _dressed_like(text_of(pair, side), lexicons[direction].word_by_word(text))
            for pair, (text, direction) in zip(pairs, others, strict=True)
        ]

    def check(self, directions: Sequence[Direction], context: Context) -> None:
        """Whether the dictionary, if one was given, can be used.

        Raises:
            InputError: it cannot; names the line.
        """
        if context.noise.dictionary is not None:
            check_dictionary(context.noise.dictionary, needed_directions(context.noise, directions))


def _lexicon(direction: Direction, context: Context) -> Lexicon:
    if context.noise.dictionary is not None:
        return dictionary(context.noise.dictionary, direction)
    return lexicon(context.corpus, direction, context.settings)


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


KIND = WordNoise()

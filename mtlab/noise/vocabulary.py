"""The words of one language of a corpus: which are common, and which could stand for another.

In an inflected language words with the same ending mostly have the same form, so that one of them
put in the other's place leaves the sentence well formed and makes it wrong.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from mtlab.corpora.pairs import Pair
from mtlab.noise.kinds import Context, Side, code_of, text_of
from mtlab.noise.pieces import Pieces
from mtlab.noise.tokens import UNSPACED
from mtlab.spec import Direction

COMMON = 100
"""So many of the most frequent words count as function words."""

SHORTEST_CONTENT = 4
MAX_TEXTS = 20_000
_ENDINGS = (4, 3, 2)

_made: dict[tuple[str, str, str], Vocabulary] = {}


@dataclass(frozen=True)
class Vocabulary:
    """The words of a language as a corpus uses them.

    Attributes:
        code: the language.
        common: its most frequent words, lower-cased.
        by_ending: its content words, as they are written inside a sentence, by their last letters.
    """

    code: str
    common: frozenset[str]
    by_ending: Mapping[str, Sequence[str]]

    @classmethod
    def of(cls, texts: Iterable[str], code: str) -> Vocabulary:
        """Read the words off texts of one language."""
        count: Counter[str] = Counter()
        inside: set[str] = set()
        for text in texts:
            words = Pieces.of(text, code).words
            count.update(word.lower() for word in words)
            inside.update(words[1:])
        common = frozenset(word for word, _ in count.most_common(COMMON))
        by_ending: dict[str, list[str]] = {}
        for word in sorted(inside):
            if len(word) >= SHORTEST_CONTENT and word.isalpha() and word.lower() not in common:
                for size in _ENDINGS:
                    by_ending.setdefault(word[-size:], []).append(word)
        return cls(code, common, by_ending)

    def content_places(self, words: Sequence[str]) -> list[int]:
        """Where content words stand; where all are short or common, anywhere."""
        least = 1 if self.code in UNSPACED else SHORTEST_CONTENT
        content = [
            place
            for place, word in enumerate(words)
            if len(word) >= least and word.isalpha() and word.lower() not in self.common
        ]
        return content or [place for place, word in enumerate(words) if word.isalpha()]

    def another(self, word: str, chance: random.Random) -> str | None:
        """Another word of the same form: the same ending, and a capital or none alike."""
        for size in _ENDINGS:
            found = [
                other
                for other in self.by_ending.get(word[-size:], ())
                if other.lower() != word.lower() and other[:1].isupper() == word[:1].isupper()
            ]
            if found and len(word) > size:
                return chance.choice(found)
        return None


def vocabulary(pair: Pair, side: Side, context: Context) -> Vocabulary:
    """The vocabulary of a side's language, from the corpus; made once in a process."""
    corpus, code = context.corpus, code_of(pair, side)
    if pair.direction in corpus.train_directions():
        key = (corpus.name, corpus.digest(pair.direction, "train"), side)
        pool = corpus.pool(pair.direction)
    else:
        pool = tuple(context.pool(pair.direction))
        key = (str(pair.direction), "\x1f".join(text_of(one, side) for one in pool), side)
    if key not in _made:
        while len(_made) > 32:
            _made.pop(next(iter(_made)))
        _made[key] = Vocabulary.of((text_of(one, side) for one in islice(pool, MAX_TEXTS)), code)
    return _made[key]


def vocabularies(
    pairs: Sequence[Pair], side: Side, context: Context
) -> dict[Direction, Vocabulary]:
    """The vocabularies of all the pairs' directions."""
    return {
        direction: vocabulary(next(p for p in pairs if p.direction == direction), side, context)
        for direction in dict.fromkeys(pair.direction for pair in pairs)
    }

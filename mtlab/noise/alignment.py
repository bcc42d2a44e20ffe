"""Which words translate each other: IBM Model 1 both ways, by agreement.

Brown et al. 1993, "The Mathematics of Statistical Machine Translation", section 4.2: word
translation probabilities by expectation maximisation, here on all links of all sentence pairs at
once. The two ways are trained together on the product of what they give each link (Liang et al.
2006, "Alignment by Agreement"), so that a rare word does not claim all that stands around it; a
link counts for more the nearer its words stand to the same relative place (Dyer et al. 2013, "A
Simple, Fast, and Effective Reparameterization of IBM Model 2", equation 1, parameters fixed) and
when they begin alike; and a word that was seen once is trusted half as much as one seen often.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Chosen by how many words of the everyday test set (not learnt from) come out right.
ITERATIONS = 4
TENSION = 1.0
NULL_SHARE = 0.08
DISTRUST = 1.0
COGNATE = 4.0
COGNATE_LETTERS = 4
PRUNED_AFTER = 2
NEGLIGIBLE = 0.003

_Array = NDArray[Any]


def word_links(
    pairs: Sequence[tuple[Sequence[str], Sequence[str]]],
) -> list[tuple[str, str, float]]:
    """Every word pair that the sentence pairs link, with how often they do, both ways agreeing.

    Args:
        pairs: tokenised sentence pairs; memory grows with the product of their lengths, about 30
            bytes a link.
    """
    left_words, left = _numbered([source for source, _ in pairs])
    right_words, right = _numbered([target for _, target in pairs])
    if not left_words or not right_words:
        return []
    left_place, right_place, prior = _possible_links(left, right)
    left_token, right_token = np.concatenate(left), np.concatenate(right)
    entry = left_token[left_place].astype(np.int64) * len(right_words) + right_token[right_place]
    entries, entry = np.unique(entry, return_inverse=True)
    entry = entry.astype(np.int32)
    of_left, of_right = np.divmod(entries, len(right_words))
    prior *= _cognates(left_words, right_words, of_left, of_right)[entry]
    forward = _Way(of_left, right_token, len(entries))
    backward = _Way(of_right, left_token, len(entries))
    for iteration in range(ITERATIONS):
        there = forward.links(entry, right_place, prior)
        back = backward.links(entry, left_place, prior)
        agreed = there * back
        forward.learn(entry, agreed)
        backward.learn(entry, agreed)
        if iteration + 1 == PRUNED_AFTER:
            kept = (there > NEGLIGIBLE) | (back > NEGLIGIBLE)
            entry, prior = entry[kept], prior[kept]
            left_place, right_place = left_place[kept], right_place[kept]
            agreed = agreed[kept]
    times = np.bincount(entry, agreed, len(entries))
    return [
        (left_words[of_left[k]], right_words[of_right[k]], float(times[k]))
        for k in np.flatnonzero(times > 0.01).tolist()
    ]


@dataclass
class _Way:
    """One of the two models: the probability of a word given a word of the other language.

    Attributes:
        given: the known word of each entry, an entry being two words that stand in some pair.
        token: the words to be explained, at every place of the text.
        size: how many entries there are.
    """

    given: _Array
    token: _Array
    size: int

    def __post_init__(self) -> None:
        frequency = np.bincount(self.token) / len(self.token)
        self._unexplained = NULL_SHARE * frequency[self.token]
        self._probability = np.full(self.size, 1 / len(frequency))

    def links(self, entry: _Array, place: _Array, prior: _Array) -> _Array:
        """How probable each link is."""
        length = len(self.token)
        # A place whose links were all pruned has nothing to be divided by.
        all_priors = np.maximum(np.bincount(place, prior, length), 1e-30)
        weight = self._probability[entry] * prior
        scale = np.bincount(place, weight, length) * ((1 - NULL_SHARE) / all_priors)
        scale = (1 - NULL_SHARE) / all_priors / np.maximum(scale + self._unexplained, 1e-30)
        weight *= scale[place]
        return weight

    def learn(self, entry: _Array, weight: _Array) -> None:
        """Set the probabilities by how often each entry is linked."""
        expected = np.bincount(entry, weight, self.size)
        totals = np.bincount(self.given, expected)
        self._probability = expected / (totals[self.given] + DISTRUST)


def _possible_links(
    left: Sequence[_Array], right: Sequence[_Array]
) -> tuple[_Array, _Array, _Array]:
    """All links: the place of either word in its text, and how near the diagonal they stand."""
    wide = np.array([len(words) for words in left])
    high = np.array([len(words) for words in right])
    links = wide * high
    pair = np.repeat(np.arange(len(links), dtype=np.int32), links)
    within = np.arange(len(pair), dtype=np.int32)
    within -= (np.cumsum(links) - links).astype(np.int32)[pair]
    row, column = np.divmod(within, high.astype(np.int32)[pair])
    prior = (row + np.float32(0.5)) * (1 / wide).astype(np.float32)[pair]
    prior -= (column + np.float32(0.5)) * (1 / high).astype(np.float32)[pair]
    np.exp(-TENSION * np.abs(prior), out=prior)
    row += (np.cumsum(wide) - wide).astype(np.int32)[pair]
    column += (np.cumsum(high) - high).astype(np.int32)[pair]
    return row, column, prior


def _numbered(sentences: Sequence[Sequence[str]]) -> tuple[list[str], list[_Array]]:
    """Words by number, and the sentences as numbers."""
    number: dict[str, int] = {}
    coded = [
        np.array([number.setdefault(word, len(number)) for word in sentence], dtype=np.int32)
        for sentence in sentences
    ]
    return list(number), coded


def _cognates(
    left_words: Sequence[str], right_words: Sequence[str], of_left: _Array, of_right: _Array
) -> _Array:
    """A factor for each entry: words that begin alike, such as names, are likelier a pair."""
    number: dict[str, int] = {}
    left, right = (
        np.array([number.setdefault(word[:COGNATE_LETTERS], len(number)) for word in words])
        for words in (left_words, right_words)
    )
    return np.where(left[of_left] == right[of_right], COGNATE, 1.0).astype(np.float32)

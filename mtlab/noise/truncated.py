"""Truncated sides: the sentence breaks off, as in badly cut or over-long crawled text."""

from __future__ import annotations

from collections.abc import Sequence

from mtlab.corpora.pairs import Pair
from mtlab.noise.kinds import Context, Kind, Side, code_of, text_of
from mtlab.noise.pieces import Pieces

SHORTEST, LONGEST = 0.3, 0.7
"""The share of the words that is kept, drawn evenly between these."""


class TruncatedNoise(Kind):
    """Keeps the beginning: at least one word, and at least one word less than there are."""

    def corrupt_texts(self, pairs: Sequence[Pair], side: Side, context: Context) -> list[str]:
        """The beginnings, without the mark at the end; of a single word, its first letters."""
        return [
            _beginning(
                text_of(pair, side),
                code_of(pair, side),
                context.chance(pair, side).uniform(SHORTEST, LONGEST),
            )
            for pair in pairs
        ]


def _beginning(text: str, code: str, share: float) -> str:
    pieces = Pieces.of(text, code)
    count = len(pieces.words)
    if count > 1:
        kept = min(count - 1, max(1, round(share * count)))
        return "".join(pieces.parts[: 2 * kept])
    bare = text.strip()
    return bare[: max(1, round(share * len(bare)))]


KIND = TruncatedNoise()

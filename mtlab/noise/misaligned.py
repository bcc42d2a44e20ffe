"""Misaligned sides: the text of another sentence, as when two files have slipped by a line.

The other sentence is the next one in the order of the draw: its target for the target, while the
source comes from the one before, so that with both sides misaligned the two still do not fit. All
that may be drawn stands in that order, whatever the size of the run, and what is tested on does
not.
"""

from __future__ import annotations

from collections.abc import Sequence

from mtlab.corpora.pairs import Pair, normalised
from mtlab.errors import InputError
from mtlab.noise.kinds import Context, Kind, Side, text_of
from mtlab.spec import Direction


class MisalignedNoise(Kind):
    """Replaces a side by the same side of another pair of the same direction."""

    def corrupt_texts(self, pairs: Sequence[Pair], side: Side, context: Context) -> list[str]:
        """The neighbours' texts; a neighbour with the same text is passed over.

        Raises:
            InputError: there is no other pair in the direction.
        """
        directions = tuple(dict.fromkeys(pair.direction for pair in pairs))
        self.check(directions, context)
        pools = {direction: context.pool(direction) for direction in directions}
        place = {
            pair.key: number
            for order in context.order.values()
            for number, pair in enumerate(order)
        }
        step = 1 if side == "target" else -1
        return [
            _neighbour(pair, side, pools[pair.direction], place[pair.key], step) for pair in pairs
        ]

    def check(self, directions: Sequence[Direction], context: Context) -> None:
        """Whether there are pairs enough to take a side of another from.

        Raises:
            InputError: there is no other pair in a direction, or for both sides only one.
        """
        needed = 3 if context.noise.side == "both" else 2
        for direction in directions:
            found = len(context.pool(direction))
            if found < needed:
                raise InputError(
                    f"misaligned noise takes a side of another pair, and {direction} has {found}",
                    field="noise.kind",
                    fix=f"give {needed} pairs or more, or choose another kind",
                )


def _neighbour(pair: Pair, side: Side, order: Sequence[Pair], place: int, step: int) -> str:
    clean = text_of(pair, side)
    for distance in range(1, len(order)):
        text = text_of(order[(place + step * distance) % len(order)], side)
        if normalised(text) != normalised(clean):
            return text
    return clean


KIND = MisalignedNoise()

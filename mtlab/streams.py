"""Which test sets are translated together. Imports no torch.

Small ones gain by it: fewer batches, and fewer ends of a batch in which few sentences are left. A
large one has many batches of its own, gains nothing, and is whole the sooner when it is alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from mtlab.spec import Decoding

TOGETHER = 1000
"""Segments of a stream at most; a test set that has more is one by itself."""


def most_together(decoding: Decoding) -> int:
    """Segments of a stream of a model's own decoding.

    Other backends read what all prompts of a batch begin with once, and nothing else: there each
    direction is by itself.
    """
    return TOGETHER if decoding.decoder == "transformers" else 0


def streams_of(sizes: Sequence[int], most: int = TOGETHER) -> list[list[int]]:
    """The places of test sets, stream by stream, in their order.

    Args:
        sizes: segments of each test set.
        most: segments of a stream; 0 leaves each by itself.
    """
    streams: list[list[int]] = []
    held = 0
    for place, size in enumerate(sizes):
        if streams and 0 < held + size <= most:
            streams[-1].append(place)
            held += size
        else:
            streams.append([place])
            held = size
    return streams

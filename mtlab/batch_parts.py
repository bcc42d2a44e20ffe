"""A batch in parts: of like length, or of so many tokens at most. Imports no torch."""

from __future__ import annotations

from collections.abc import Sequence

PART_TOKENS = 256
"""What a pass costs beyond its tokens, as so many tokens: weights are cast and gradients added."""


def parts_of(lengths: Sequence[int], part_tokens: int = PART_TOKENS) -> list[list[int]]:
    """The rows of a batch, divided so that tokens, padding included, and passes cost least.

    Args:
        lengths: tokens per row.
        part_tokens: what a further part costs, in tokens.

    Returns:
        Row numbers per part, long rows first.
    """
    rows = sorted(range(len(lengths)), key=lambda row: -lengths[row])
    # The least cost of the last rows from each place on, and where their first part ends.
    cost, ends = [0] * (len(rows) + 1), [0] * len(rows)
    for start in reversed(range(len(rows))):
        width = lengths[rows[start]]
        cost[start], ends[start] = min(
            (part_tokens + width * (end - start) + cost[end], end)
            for end in range(start + 1, len(rows) + 1)
        )
    parts, start = [], 0
    while start < len(rows):
        parts.append(rows[start : ends[start]])
        start = ends[start]
    return parts


def parts_within(lengths: Sequence[int], most: int) -> list[list[int]]:
    """The rows of a batch in parts that hold so many tokens at most, in few parts.

    Each row goes, the long ones first, into the first part that still has room for it.

    Args:
        lengths: tokens per row.
        most: tokens of a part; a longer row has one of its own.

    Returns:
        Row numbers per part.
    """
    parts: list[list[int]] = []
    left: list[int] = []
    for row in sorted(range(len(lengths)), key=lambda row: -lengths[row]):
        place = next((at for at, room in enumerate(left) if lengths[row] <= room), len(parts))
        if place == len(parts):
            parts.append([])
            left.append(most)
        parts[place].append(row)
        left[place] -= lengths[row]
    return parts

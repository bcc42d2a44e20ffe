"""Prompts into batches: by length, under a budget, the same for any order of the input."""

from __future__ import annotations

from collections.abc import Sequence

MAX_ROWS = 4096
"""The most rows (sentences x beams) in one batch, however short they are."""


def plan(prompts: Sequence[Sequence[int]], beams: int, token_budget: int) -> list[list[int]]:
    """Indices of prompts, batch by batch, the longest first.

    Sentences of like length stand together, so that little is padded and a batch ends nearly at
    once. The longest come first: what does not fit into memory fails at the start. Ties are broken
    by the prompts themselves, so that the batches do not depend on the order of the input.

    Args:
        prompts: token ids.
        beams: rows per sentence.
        token_budget: prompt tokens x beams of a batch; one sentence is always let in.
    """
    order = sorted(range(len(prompts)), key=lambda i: (-len(prompts[i]), tuple(prompts[i])))
    batches: list[list[int]] = []
    start = 0
    while start < len(order):
        longest = len(prompts[order[start]])
        count = max(1, min(token_budget // (longest * beams), MAX_ROWS // beams))
        batches.append(order[start : start + count])
        start += count
    return batches

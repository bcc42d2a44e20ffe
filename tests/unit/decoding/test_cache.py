"""Rows of the cache follow the sentences that stay, however they are asked for."""

from __future__ import annotations

import pytest
import torch

from mtlab.decoding.cache import TranslationCache


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([0, 1, 2], id="the last leave"),
        pytest.param([4, 1, 3], id="gaps closed from behind"),
        pytest.param([2, 0, 1], id="another order"),
        pytest.param([3, 3, 0, 0, 1, 1, 2], id="copies"),
        pytest.param([0, 1, 2, 3, 4], id="all stay"),
    ],
)
def test_rows_are_kept_in_the_order_asked_for(rows: list[int]) -> None:
    keys, values = torch.randn(2, 5, 2, 3, 4)
    more = torch.randn(len(rows), 2, 1, 4)
    cache = TranslationCache(1)
    cache.update(keys, values, 0)
    cache.keep(torch.tensor(rows))
    found = cache.update(more, more, 0)
    for states, before in zip(found, (keys, values), strict=True):
        assert torch.equal(states, torch.cat([before[rows], more], dim=2))


def test_rows_that_are_read_in_parts_end_at_one_place_after_gaps_of_zeros() -> None:
    head = torch.randn(5, 2, 3, 4)
    long, short, next_ones = (
        torch.randn(2, 2, 6, 4),
        torch.randn(3, 2, 4, 4),
        torch.randn(5, 2, 1, 4),
    )
    cache = TranslationCache(1)
    cache.update(head, head, 0)
    with cache.part(slice(0, 2), 5, 3, 0):
        cache.update(long, long, 0)
    with cache.part(slice(2, 5), 5, 3, 2):
        seen, _ = cache.update(short, short, 0)
        assert cache.get_seq_length() == 9
    gap = torch.zeros(3, 2, 2, 4)
    assert torch.equal(seen, torch.cat([head[2:], gap, short], dim=2))
    whole = torch.cat([torch.cat([head[:2], long], dim=2), seen])
    for states in cache.update(next_ones, next_ones, 0):
        assert torch.equal(states, torch.cat([whole, next_ones], dim=2))

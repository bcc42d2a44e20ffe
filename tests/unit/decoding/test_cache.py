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

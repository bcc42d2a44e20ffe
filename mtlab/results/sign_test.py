"""The exact sign test: whether wins outnumber losses by more than chance."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

ALPHA = 0.05
_HALVINGS = 50


@dataclass(frozen=True)
class SignTest:
    """What wins and losses say; ties are no part of it.

    Attributes:
        wins: how often the first was better.
        losses: how often the second was.
        p_value: two-sided, of an even chance; 1 where nothing was decided.
        share: of the wins among what was decided; None where nothing was.
        low: lower end of the 95% interval of that share (Clopper and Pearson's, which is exact).
        high: upper end.
    """

    wins: int
    losses: int
    p_value: float
    share: float | None
    low: float
    high: float

    @property
    def is_told(self) -> bool:
        """Whether chance alone rarely parts them so far."""
        return self.p_value < ALPHA


@lru_cache(maxsize=4096)
def sign_test(wins: int, losses: int) -> SignTest:
    """Test wins against losses; each of them should be a judgement of its own."""
    n = wins + losses
    if n == 0:
        return SignTest(0, 0, 1.0, None, 0.0, 1.0)
    tail = sum(math.comb(n, k) for k in range(min(wins, losses) + 1))
    beyond = ALPHA / 2
    # The bounds are the chances under which so many wins, or so few, are just this unlikely.
    low = _chance_with(lambda p: 1 - _at_most(wins - 1, n, p) < beyond) if wins else 0.0
    high = _chance_with(lambda p: _at_most(wins, n, p) > beyond) if losses else 1.0
    return SignTest(wins, losses, min(1.0, 2 * tail / 2**n), wins / n, low, high)


def p_words(p_value: float) -> str:
    """A p-value as people write it: `p = 0.109`, `p < 0.001`."""
    return "p < 0.001" if p_value < 0.001 else f"p = {p_value:.3f}"


def _at_most(k: int, n: int, chance: float) -> float:
    """The probability of at most `k` wins of `n`."""
    return math.fsum(
        math.exp(
            math.lgamma(n + 1) - math.lgamma(i + 1) - math.lgamma(n - i + 1)
            + i * math.log(chance) + (n - i) * math.log1p(-chance)
        )
        for i in range(k + 1)
    )  # fmt: skip


def _chance_with(is_below: Callable[[float], bool]) -> float:
    """Where `is_below` turns from true to false."""
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if is_below(middle):
            low = middle
        else:
            high = middle
    return (low + high) / 2

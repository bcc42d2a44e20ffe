"""How often one may ask: a bucket of tokens for each, which fills again at an even pace."""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from mtlab.errors import NotAvailable

_REMEMBERED = 10_000


class Pace:
    """So much at once, and as much again in so many seconds, for each of those who ask.

    Args:
        most: what a bucket holds.
        seconds: in what time an empty one is full again.
        what: what is counted, in the plural.
        clock: tells the time, in seconds.
    """

    def __init__(
        self,
        most: float,
        seconds: float,
        what: str = "times",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most = most
        self._seconds = seconds
        self._what = what
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, who: str, amount: float = 1) -> None:
        """Take from a bucket.

        Raises:
            NotAvailable: it holds too little; says when it will hold enough. Nothing is taken.
        """
        with self._lock:
            now = self._clock()
            held, then = self._buckets.pop(who, (self._most, now))
            held = min(self._most, held + (now - then) * self._most / self._seconds)
            enough = amount <= held + 1e-9
            self._buckets[who] = (held - amount if enough else held, now)
            while len(self._buckets) > _REMEMBERED:
                self._buckets.popitem(last=False)
        if not enough:
            wait = math.ceil((amount - held) * self._seconds / self._most - 1e-6)
            raise NotAvailable(
                "you ask faster than this lab answers",
                why=f"{self._most:,.0f} {self._what} in {self._seconds:,.0f} s are allowed",
                fix=f"try again in {max(1, wait):,} s",
            )

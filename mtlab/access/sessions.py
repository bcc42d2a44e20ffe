"""Who has signed in: a word nobody can guess for each browser, kept in memory and for a while."""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

HOURS = 12
_MOST = 10_000


class Sessions:
    """The sessions of one app; they end with it.

    Args:
        seconds: how long one lasts.
        clock: tells the time, in seconds.
    """

    def __init__(
        self, seconds: float = HOURS * 3600, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._seconds = seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._open: OrderedDict[str, tuple[str, float]] = OrderedDict()

    def begin(self, name: str) -> str:
        """A new session of a person; gives its word, which is kept nowhere as it is."""
        word = secrets.token_urlsafe(32)
        with self._lock:
            self._open[_digest(word)] = (name, self._clock() + self._seconds)
            while len(self._open) > _MOST:
                self._open.popitem(last=False)
        return word

    def name(self, word: str | None) -> str | None:
        """Whose session it is; None where there is none, or none any more."""
        if not word:
            return None
        with self._lock:
            found = self._open.get(_digest(word))
            if found is None:
                return None
            if found[1] <= self._clock():
                del self._open[_digest(word)]
                return None
            return found[0]

    def end(self, word: str | None) -> None:
        """End a session, if there is one."""
        with self._lock:
            self._open.pop(_digest(word or ""), None)


def _digest(word: str) -> str:
    return hashlib.sha256(word.encode("utf-8", "replace")).hexdigest()

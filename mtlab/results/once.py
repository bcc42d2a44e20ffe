"""Values that are made once, whoever asks first; others who ask meanwhile wait for the same one."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Once(Generic[Value]):
    """The newest values by key. Any thread may ask.

    Args:
        most: values kept; the ones not asked for the longest are dropped.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._values: OrderedDict[Hashable, Value] = OrderedDict()
        self._making: dict[Hashable, threading.Lock] = {}

    def peek(self, key: Hashable) -> Value | None:
        """The value, if it is made."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
            return self._values.get(key)

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """The value, made now if it is not there; what `make` raises is raised, nothing is kept."""
        with self._lock:
            making = self._making.setdefault(key, threading.Lock())
        with making:
            found = self.peek(key)
            if found is None:
                found = make()
                with self._lock:
                    self._values[key] = found
                    while len(self._values) > self._most:
                        self._making.pop(self._values.popitem(last=False)[0], None)
        return found

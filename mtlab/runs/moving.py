"""Places in the queue: a priority, and among equals a time; who is moved takes another's."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Literal, get_args

from mtlab.errors import InputError
from mtlab.runs.database import STEP, queued_runs

Where = Literal["front", "up", "down", "back"]
WHERE: tuple[Where, ...] = get_args(Where)

Slot = tuple[int, float]
"""A priority, the higher first, and a time, the smaller first."""


def check_where(where: str) -> None:
    """Refuse a place that the queue has not.

    Raises:
        InputError: says which it has.
    """
    if where not in WHERE:
        fix = f"use {', '.join(WHERE)}"
        raise InputError(f"there is no place '{where}' in the queue", field="where", fix=fix)


def slots_of(connection: sqlite3.Connection) -> dict[str, Slot]:
    """The queued runs and their places, the next one first."""
    return {run: (priority, place) for run, priority, place in queued_runs(connection)}


def moved(slots: Mapping[str, Slot], run: str, where: Where) -> dict[str, Slot]:
    """The places that change when a run is moved; none where it stands there already.

    Args:
        slots: the whole queue, as `slots_of` gives it.
        run: one of it.
        where: before or behind all others, or past the one before or behind it.
    """
    order = list(slots)
    place = order.index(run)
    other = {"front": 0, "up": place - 1, "down": place + 1, "back": len(order) - 1}[where]
    if other == place or not 0 <= other < len(order):
        return {}
    priority, time = slots[order[other]]
    if where == "front":
        return {run: (priority, time - STEP)}
    if where == "back":
        return {run: (priority, time + STEP)}
    return {run: slots[order[other]], order[other]: slots[run]}

"""How long a running run still takes: from its forecast, and from how it goes."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mtlab.forecasting import in_words
from mtlab.runs.files import read_json
from mtlab.runs.reporting import SHARES
from mtlab.runs.status import PHASES, Status

_TOO_EARLY = 0.05
"""Progress before which it alone says nothing of the time."""

_SLOWEST, _FASTEST = 4.0, 0.5
_ENOUGH = 2.0  # seconds that say how fast the machine is now


def seconds_left(status: Status, told: Mapping[str, float], now: float) -> float | None:
    """The seconds until a running run ends; None while nothing tells.

    What is left of the phase at hand is told from how far it is, the more the further; the phases
    to come take as much longer than was forecast as those before have.

    Args:
        status: of a running run.
        told: the seconds of each phase as they were forecast; empty where they were not.
        now: seconds since 1970.
    """
    if status.state != "running" or status.began is None:
        return None
    elapsed, done = max(0.0, now - status.began), status.progress
    if not told:
        return elapsed * (1 - done) / done if done > _TOO_EARLY else None
    if status.phase is None:
        return max(0.0, sum(told.values()) - elapsed)
    place = PHASES.index(status.phase)
    over = [phase for phase in PHASES[:place] if phase in status.seconds]
    took = sum(status.seconds[phase] for phase in over)
    expected = sum(told.get(phase, 0.0) for phase in over)
    pace = min(_SLOWEST, max(_FASTEST, took / expected)) if expected > _ENOUGH else 1.0
    so_far = max(0.0, elapsed - took)
    before = sum(SHARES[phase] for phase in PHASES[:place])
    share = min(1.0, max(0.0, (done - before) / SHARES[status.phase]))
    by_forecast = max(0.0, pace * told.get(status.phase, 0.0) - so_far)
    by_progress = so_far * (1 - share) / share if share > _TOO_EARLY else by_forecast
    left = share * by_progress + (1 - share) * by_forecast
    return left + pace * sum(told.get(phase, 0.0) for phase in PHASES[place + 1 :])


def left_in_words(status: Status, folder: Path) -> str:
    """`about 20 seconds left`; empty while nothing tells, or when it does not run."""
    if status.state != "running":
        return ""
    left = seconds_left(status, forecast_of(folder).get("seconds", {}), time.time())
    return "" if left is None else f"about {in_words(left)} left"


def told_in_words(status: Status, folder: Path) -> str:
    """What was forecast of a run that has finished: `forecast: 20 seconds and 1,000 MB`."""
    told = forecast_of(folder) if status.state == "finished" else {}
    if not told:
        return ""
    return f"forecast: {in_words(told['total'])} and {told['memory_mb']:,.0f} MB"


def forecast_of(folder: Path) -> Mapping[str, Any]:
    """The forecast that a run was begun with; empty without one."""
    told = (read_json(folder / "provenance.json") or {}).get("forecast")
    return told if isinstance(told, dict) and isinstance(told.get("seconds"), dict) else {}

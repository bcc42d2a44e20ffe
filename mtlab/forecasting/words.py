"""Times and sizes as a person says them."""

from __future__ import annotations


def in_words(seconds: float) -> str:
    """A time as a person says it: `20 seconds`, `12 minutes`, `1.5 hours`."""
    if seconds < 90:
        return f"{max(5, round(seconds / 5) * 5)} seconds"
    minutes = seconds / 60
    return f"{round(minutes)} minutes" if minutes < 90 else f"{minutes / 60:.1f} hours"

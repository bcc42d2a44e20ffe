"""Options that most of the page's events share."""

from __future__ import annotations

from typing import Any

QUIET: dict[str, Any] = {
    "show_progress": "hidden",
    "api_visibility": "private",
    "concurrency_limit": None,
}
"""Of what answers at once: no visitor waits for another, and nothing is drawn over the page."""

FOLLOWING: dict[str, Any] = {**QUIET, "trigger_mode": "always_last"}
"""Of what follows a person's typing: the last state is what counts."""

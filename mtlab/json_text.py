"""JSON that somebody else wrote."""

from __future__ import annotations

import json
from typing import Any


def parse_json(text: str | bytes) -> Any:
    """The value of a JSON text.

    Raises:
        ValueError: it is none, or nested so deeply that no honest writer made it.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("too deeply nested") from None

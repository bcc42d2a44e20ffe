"""YAML files that a person wrote: specs and sweeps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mtlab.errors import InputError

LARGEST = 1_000_000
"""Bytes of a file; a sweep of thousands of runs takes a few thousand."""

MOST_VALUES = 100_000
"""Values in a file, those that an alias repeats counted as often as it does."""


def read_yaml_mapping(path: str | Path) -> dict[str, Any]:
    """The mapping in a YAML file.

    Raises:
        InputError: no such file, too large, not UTF-8, not YAML, or not a mapping.
    """
    import yaml

    try:
        with open(path, "rb") as file:
            data = file.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise InputError(
            f"'{path}' cannot be read", field="spec", why=why, fix="check the path"
        ) from None
    if len(data) > LARGEST:
        raise _too_much(path)
    try:
        found = yaml.safe_load(data.decode("utf-8-sig"))
    except (ValueError, yaml.YAMLError, RecursionError):  # a date that is none is a ValueError
        raise InputError(
            f"'{path}' is not a YAML file in UTF-8", field="spec", fix="check its contents"
        ) from None
    if not isinstance(found, dict):
        raise InputError(
            f"'{path}' does not hold a spec", field="spec", fix="write fields such as 'size: 32'"
        )
    if _is_large(found):
        raise _too_much(path)
    return found


def _too_much(path: str | Path) -> InputError:
    return InputError(
        f"'{path}' holds too much to be a spec", field="spec", fix="check its contents"
    )


def _is_large(value: Any) -> bool:
    """Whether it has too many values; aliases may repeat a few bytes without end."""
    left = [value]
    count = 0
    while left and count <= MOST_VALUES:
        one = left.pop()
        count += 1
        if isinstance(one, dict):
            left += one.values()
        elif isinstance(one, list | tuple | set):
            left += one
    return count > MOST_VALUES

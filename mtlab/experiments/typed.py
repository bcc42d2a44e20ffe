"""What a person types for what varies: seeds, sizes, shares."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

from mtlab.errors import InputError
from mtlab.experiments.experiment import ALL, MOST_RUNS
from mtlab.experiments.ladders import Size

Value = TypeVar("Value")

_SEEDS = "give 0, or 0, 1, 2, or 3 seeds"
_COUNT = re.compile(r"(\d{1,9}) ?seeds?(?:: ?(.+))?", re.IGNORECASE)
_RANGE = re.compile(r"(\d{1,9}) ?(?:-|to) ?(\d{1,9})")


def seeds_from_text(text: str) -> tuple[int, ...]:
    """`0` is the seed 0; `0, 1, 2`, `0-2` and `3 seeds` are three.

    Raises:
        InputError: none of these, the same seed twice, or too many.
    """
    text = " ".join(str(text).split())
    counted = _COUNT.fullmatch(text)
    if counted and not counted.group(2):
        seeds = tuple(range(min(int(counted.group(1)), MOST_RUNS + 1)))
    else:
        listed = counted.group(2) if counted else text
        between = _RANGE.fullmatch(listed)
        if between:
            first, last = map(int, between.groups())
            seeds = tuple(range(first, min(last, first + MOST_RUNS) + 1))
        else:
            seeds = _each(listed, int, "seed", _SEEDS)
    if not seeds or min(seeds) < 0 or len(set(seeds)) != len(seeds) or len(seeds) > MOST_RUNS:
        raise InputError(f"'{_short(text)}' are no seeds", field="seed", fix=_SEEDS)
    return seeds


def seeds_in_words(seeds: tuple[int, ...]) -> str:
    """`seed 0`, `3 seeds: 0, 1, 2`; the second is read again by `seeds_from_text`."""
    if len(seeds) == 1:
        return f"seed {seeds[0]}"
    return f"{len(seeds)} seeds: {', '.join(map(str, seeds))}"


def sizes_from_text(text: str) -> tuple[Size, ...]:
    """`16, 64, all` as an axis.

    Raises:
        InputError: something else than whole numbers and `all`.
    """
    return _each(text, _size, "size", "give numbers of pairs, such as 16, 64, all")


def shares_from_text(text: str, field: str) -> tuple[float, ...]:
    """`0, 0.05, 50%` as an axis.

    Raises:
        InputError: something else than shares; names the field.
    """
    return _each(text, _share, field, "give shares from 0 to 1, such as 0, 0.05, 0.5")


def _size(text: str) -> Size:
    return ALL if text.lower() == ALL else int(text)


def _share(text: str) -> float:
    return float(text[:-1]) / 100 if text.endswith("%") else float(text)


def _each(text: str, read: Callable[[str], Value], field: str, fix: str) -> tuple[Value, ...]:
    parts = [part for part in re.split(r"[,;\s]+", str(text).strip()) if part]
    try:
        values = tuple(read(part) for part in parts)
    except ValueError:
        raise InputError(f"'{_short(text)}' cannot be used", field=field, fix=fix) from None
    if not values:
        raise InputError("nothing is given", field=field, fix=fix)
    return tuple(dict.fromkeys(values)) if field != "seed" else values


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:37]}..."

"""What a condition is called in a table, a plot and a sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mtlab.methods import OUTPUTS, amount, trains

METRICS = {"bleu": "BLEU", "chrf": "chrF", "comet": "COMET"}
"""Metrics as people write them."""


def digits(metric: str) -> int:
    """Digits after the point that a metric is shown with."""
    return 4 if metric == "comet" else 1


def trained_on(directions: str) -> str:
    """Training directions, joined by spaces, in words."""
    names = directions.split()
    if len(names) == 1:
        return f"{names[0]} only"
    return " + ".join(names) if len(names) < 4 else f"{len(names)} directions"


def with_noise(row: Any) -> str:
    """The noise of a row of `over_seeds`: `clean`, or kind, side and ratio."""
    if row["noise"] == "none":
        return "clean"
    ratio = "" if row["ratio"] == 1 else f", {row['ratio']:.0%}"
    return f"{row['noise']} noise, {row['side']}{ratio}"


def base_label(base: str) -> str:
    """A base model's name, without the folders it lies in."""
    name = base.removeprefix(OUTPUTS)
    return Path(name).name if Path(name).is_absolute() else name


def condition_label(row: Any) -> str:
    """The condition of a row of `over_seeds`, its size and base left out; of a system that was not
    trained they are what it is.
    """
    if not trains(row["method"]):
        return f"{base_label(row['base'])}, {amount(row['method'], row['size'])}"
    parts = [trained_on(row["train"])]
    if row["noise"] != "none":
        parts.append(with_noise(row))
    if row["reverse"]:
        parts.append(f"{row['reverse']:.0%} reversed")
    if row["cycle"] > 1:
        parts.append(f"cycle {row['cycle']}")
    return ", ".join(parts)

"""What a condition is called in a table, a plot and a sentence."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mtlab.methods import OUTPUTS, amount, trains
from mtlab.spec import RunSpec

GATED_COMET = "gated-comet"
"""COMET with every failed segment counted zero, as a metric of its own beside the raw one.

BLEU and chrF have no gated twin: they are taken as they fall (`mtlab.scoring.gating`)."""

METRICS = {"bleu": "BLEU", "chrf": "chrF", "comet": "COMET", GATED_COMET: "gated COMET"}
"""Metrics as people write them."""


def digits(metric: str) -> int:
    """Digits after the point that a metric is shown with."""
    return 4 if metric in ("comet", GATED_COMET) else 1


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


def spec_label(spec: RunSpec) -> str:
    """A run in a few words: its base, how much it learns from, directions and noise."""
    noise = spec.noise
    parts = [base_label(spec.base), spec.amount, " ".join(map(str, spec.train))]
    if noise.active:
        parts.append(f"{noise.kind} noise on {noise.side}")
    return ", ".join(part for part in parts if part)


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


def condition_labels(
    rows: Sequence[Mapping[str, Any]],
    beside: Sequence[str] = ("size",),
    name: Callable[[Any], str] = condition_label,
) -> list[str]:
    """A label for each row of `over_seeds` of a run; no two conditions share one.

    It is `condition_label`, and behind it only what that leaves out and these rows differ in: the
    base, the steps, the recipe ...

    Args:
        rows: of `over_seeds`.
        beside: columns that are shown beside the label.
        name: a row's label before it is told apart.
    """
    texts = [name(row) for row in rows]
    return told_apart(texts, rows, tuple(_MORE), beside)


def told_apart(
    texts: Sequence[str],
    rows: Sequence[Mapping[str, Any]],
    columns: Sequence[str],
    beside: Sequence[str] = (),
) -> list[str]:
    """Labels with the value of a column behind those that stand for several of its values.

    Args:
        texts: one for each row.
        rows: of `over_seeds`.
        columns: what to tell rows apart by, the most telling first.
        beside: columns that are shown beside the label.
    """
    told = list(texts)
    for column in columns:
        values: dict[tuple[Any, ...], set[Any]] = {}
        keys = [
            (text, *(row[name] for name in beside)) for text, row in zip(told, rows, strict=True)
        ]
        for key, row in zip(keys, rows, strict=True):
            values.setdefault(key, set()).add(_value(row, column))
        several = {key[0] for key, found in values.items() if len(found) > 1}
        told = [
            f"{text}, {_said(row, column)}" if text in several else text
            for text, row in zip(told, rows, strict=True)
        ]
    return told


def _value(row: Any, column: str) -> Any:
    """What stands in a column; None, which unlike NaN equals itself, where nothing does."""
    value = row[column]
    return None if value is None or value != value else value


def _said(row: Any, column: str) -> str:
    value = _value(row, column)
    if value is None:
        return "no sweep" if column == "group" else f"no {column.replace('_', ' ')}"
    return _MORE[column].format(value)


_MORE = {
    "base": "{}",
    "train": "{}",
    "reverse": "{:.0%} reversed",
    "cycle": "cycle {}",
    "method": "{}",
    "steps": "{} steps",
    "learning_rate": "learning rate {}",
    "corpus": "{}",
    "test_corpus": "tested on {}",
    "group": "sweep {}",
    "recipe": "recipe {}",
}
"""How each column is said that can tell conditions apart."""

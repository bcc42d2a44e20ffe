"""Rows of `over_seeds` for the figures: ordered, grouped, named."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from mtlab.methods import trains
from mtlab.results.labels import condition_labels

if TYPE_CHECKING:
    import pandas

SETTING = (
    "base", "train", "reverse", "cycle", "method", "steps", "learning_rate", "corpus", "test_corpus"
)  # fmt: skip
"""What noisy runs share with the clean ones they stand beside."""


def rows(frame: pandas.DataFrame) -> list[dict[str, Any]]:
    """A table's rows as mappings."""
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def grouped(frame: pandas.DataFrame, keys: list[str]) -> list[tuple[tuple[Any, ...], Any]]:
    """The groups of a table in the order of their first rows."""
    return [(tuple(name), part) for name, part in frame.groupby(keys, sort=False, dropna=False)]


def own(means: pandas.DataFrame) -> pandas.DataFrame:
    """The rows of the runs themselves, their untuned bases left out."""
    return means[means["system"] == "run"]


def with_sizes(found: list[dict[str, Any]]) -> list[str]:
    """Each row's condition, its size behind it unless all that were trained share one."""
    labels = condition_labels(found)
    sizes = {row["size"] for row in found if trains(row["method"])}
    if len(sizes) < 2:
        return labels
    return [
        f"{label}, {row['size']:,}" if trains(row["method"]) else label
        for label, row in zip(labels, found, strict=True)
    ]


def clean_and_many_first(runs: pandas.DataFrame, *keys: str) -> pandas.DataFrame:
    """Rows in the order in which a reader looks for them: clean training first, then many training
    directions, then those into English; and then by `keys`.
    """
    order = runs.assign(
        noisy=runs["noise"] != "none",
        few=[-len(names.split()) for names in runs["train"]],
        trained=runs["train"].map(place),
        tested=runs["direction"].map(place),
    )
    by = ["noisy", "few", "trained", *keys]
    return order.sort_values(by, kind="stable").drop(columns=["noisy", "few", "trained", "tested"])


def at_one_size(runs: pandas.DataFrame, keys: list[str], most: int) -> tuple[pandas.DataFrame, str]:
    """The rows of one size where all sizes are too much for a figure, and a sentence that says so.

    It is the size at which the most conditions stand, the largest of several such.

    Args:
        runs: of `over_seeds`.
        keys: what the figure has a place for each of.
        most: places that it has.
    """
    counts = runs.drop_duplicates(["size", *keys]).groupby("size").size()
    if counts.sum() <= most or len(counts) < 2:
        return runs, ""
    size = int(counts[counts == counts.max()].index.max())
    return runs[runs["size"] == size], f"Drawn at {size:,} pairs alone, of {len(counts)} sizes."


def in_order(directions: Iterable[str]) -> list[str]:
    """Directions as the paper sorts them: into English, out of English, the others."""
    return sorted(dict.fromkeys(directions), key=place)


def place(direction: str) -> tuple[bool, bool, str]:
    """Where a direction stands among others; a mean over several stands last."""
    source, _, target = direction.partition("-")
    return target != "en", source != "en", direction

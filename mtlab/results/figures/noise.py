"""Clean against noisy training, by kind, side and language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mtlab.noise_kinds import NOISE_KINDS
from mtlab.results.figures.plot import Plot, Table
from mtlab.results.figures.rows import SETTING, at_one_size, grouped, own, place, rows
from mtlab.results.figures.style import (
    COLOURS,
    GREY,
    bars,
    bars_are,
    categories,
    filling,
    interval,
    layout,
    wrapped,
)
from mtlab.results.labels import METRICS, digits, told_apart, trained_on, with_noise

if TYPE_CHECKING:
    import pandas

MOST_GROUPS = 16
"""Groups of bars drawn at once; of more, those of one size are."""

_BAR_PIXELS = 13
_LABEL_CHARACTERS = 13
_SIDES = {"source": "/", "target": "\\", "both": "x"}


def noise_plot(means: pandas.DataFrame, metric: str) -> Plot | None:
    """A group of bars per test direction and size; None without clean runs beside noisy ones.

    A direction that was not trained on says what noise does to transfer; it is left out.
    """
    runs = _beside_clean(own(means))
    if runs.empty:
        return None
    runs, note = at_one_size(runs, ["direction", *SETTING], MOST_GROUPS)
    found = rows(runs)
    kinds = [kind for kind in NOISE_KINDS if kind in set(runs["noise"])]
    runs = runs.assign(
        at=_groups(found), how=[with_noise(row) for row in found],
        order=runs["direction"].map(place), kind=runs["noise"].map(["none", *kinds].index),
    )  # fmt: skip
    runs = runs.sort_values(["order", "train", "size"], kind="stable")
    order = list(dict.fromkeys(runs["at"]))
    clean = runs[runs["noise"] == "none"].groupby("at")["mean"].mean()
    form, change = f".{digits(metric)}f", f"+.{digits(metric)}f"
    data, losses, cells = [], [], []
    by_kind = runs.sort_values(["kind", "side", "ratio"], kind="stable")
    for (how, kind, side), part in grouped(by_kind, ["how", "kind", "side"]):
        part = _one_per_group(part).reindex([at for at in order if at in set(part["at"])])
        against = part["mean"] - clean.reindex(part.index)
        data.append(
            {
                "type": "bar",
                "x": part.index.tolist(),
                "y": part["mean"].tolist(),
                "name": wrapped(how),
                "error_y": bars(part),
                "hovertemplate": f"%{{y:{form}}}<extra>%{{fullData.name}}</extra>",
                "marker": filling(_colour(kind), _SIDES.get(side, "")),
            }
        )
        changes = [f"{value:{change}}" if kind else "" for value in against]
        if kind:
            losses.append(f"{how} {against.mean():{change}}")
        cells += [
            (str(at), how, f"{row['mean']:{form}}", interval(row, form), less)
            for at, row, less in zip(part.index, rows(part), changes, strict=True)
        ]
    cells.sort(key=lambda cell: order.index(cell[0]))
    name = METRICS[metric]
    shape = layout("test direction, training pairs", name, entries=len(data))
    shape |= {"barmode": "group"}
    shape["xaxis"] |= {**categories(order, _LABEL_CHARACTERS), "tickangle": 0}
    header = ("Direction, pairs", "Training", name, "Interval", "Against clean")
    how_to_read = f"{bars_are(runs)} Colour is the kind of noise, the pattern its side. {note}"
    return Plot(
        "noise",
        "Noise, by kind and side",
        f"{name} against clean training, mean over the groups: {'; '.join(losses)}.",
        {"data": data, "layout": shape},
        Table(f"{name} after clean and noisy training", header, tuple(cells)),
        note=how_to_read.strip(),
        min_width=120 + len(order) * max(84, _BAR_PIXELS * len(data)),
    )


def _beside_clean(runs: pandas.DataFrame) -> pandas.DataFrame:
    """The runs of settings that have clean and noisy ones, in the directions they trained on."""
    keys = ["size", "direction", *SETTING]
    clean = runs["noise"] == "none"
    for part in (runs[clean], runs[~clean]):
        runs = runs.merge(part[keys].drop_duplicates(), on=keys)
    return runs[[row["direction"] in row["train"].split() for row in rows(runs)]]


def _groups(found: list[dict[str, Any]]) -> list[str]:
    """What each row's bar stands over: the direction, and what else groups differ in."""
    sizes = len({row["size"] for row in found}) > 1
    trained: dict[str, set[str]] = {}
    for row in found:
        trained.setdefault(row["direction"], set()).add(row["train"])
    named = [
        f"{row['direction']}"
        + (f", {row['size']:,}" if sizes else "")
        + (f", {trained_on(row['train'])}" if len(trained[row["direction"]]) > 1 else "")
        for row in found
    ]
    return told_apart(named, found, SETTING)


def _one_per_group(part: pandas.DataFrame) -> pandas.DataFrame:
    """One bar where runs differ in what groups do not tell, such as the name of a sweep."""
    return part.groupby("at", sort=False).agg(
        mean=("mean", "mean"), min=("min", "min"), max=("max", "max"), seeds=("seeds", "max"),
        low=("low", "min"), high=("high", "max"),
    )  # fmt: skip


def _colour(kind: int) -> str:
    """Of the noise of so many kinds that are there; 0 is clean."""
    return COLOURS[(kind - 1) % len(COLOURS)] if kind else GREY

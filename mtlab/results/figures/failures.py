"""How translations fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mtlab.results.figures.plot import Plot, Table
from mtlab.results.figures.rows import (
    SETTING,
    at_one_size,
    clean_and_many_first,
    own,
    rows,
    with_sizes,
)
from mtlab.results.figures.style import (
    PATTERNS,
    categories,
    filling,
    label_pixels,
    layout,
    lines_of,
)
from mtlab.results.table import STACKED

if TYPE_CHECKING:
    import pandas

MOST_BARS = 40
"""Bars drawn at once: of more, those that fail the most."""

COLOURS = {
    "empty": "#999999",
    "echo": "#CC79A7",
    "copy": "#E69F00",
    "off-target": "#D55E00",
    "repetition": "#0072B2",
    "over-long": "#56B4E9",
    "truncated": "#009E73",
}
"""The colour of each failure, here as in the lab's tables (`assets/app.css`)."""


def failures_plot(means: pandas.DataFrame) -> Plot | None:
    """Shares of segments that fail, stacked, a bar per condition and test direction.

    Each failed segment stands in one part of its bar, that of its most telling failure.
    """
    runs = clean_and_many_first(own(means), "size", "tested")
    columns = [str(name) for name in runs if str(name).startswith(STACKED)]
    counted = [name for name in columns if (runs[name] > 0).any()]
    if runs.empty or not counted:
        return None
    runs, note = at_one_size(runs, [*SETTING, "noise", "side", "ratio", "direction"], MOST_BARS)
    total = runs[columns].sum(axis=1)
    share = {name: float(runs[name].mean()) for name in counted}
    most = max(share, key=lambda name: share[name])
    found = rows(runs)
    labels, of = with_sizes(found), "share of segments"
    directions = runs["direction"].unique()
    if len(directions) == 1 and directions[0].startswith("mean of"):
        of = f"{of}, {directions[0]}"
    else:
        labels = [f"{label}: {row['direction']}" for label, row in zip(labels, found, strict=True)]
    runs = runs.assign(bar=labels, total=total)
    table = Table(
        "Share of segments, each failed one counted once",
        ("Condition", "Failed", *map(_failure, counted)),
        tuple(
            (label, f"{sum_:.1%}", *(f"{row[name]:.1%}" for name in counted))
            for label, sum_, row in zip(labels, total, found, strict=True)
        ),
    )
    drawn = runs
    if len(runs) > MOST_BARS:
        drawn = runs.sort_values("total", ascending=False, kind="stable").head(MOST_BARS)
        note += f" The {MOST_BARS} of {len(runs)} bars that fail the most."
    data = [
        {
            "type": "bar",
            "orientation": "h",
            "y": drawn["bar"].tolist(),
            "x": drawn[name].fillna(0).tolist(),
            "name": _failure(name),
            "hovertemplate": "%{x:.1%}<extra>%{fullData.name}</extra>",
            "marker": filling(COLOURS[_failure(name)], PATTERNS[number % len(PATTERNS)]),
        }
        for number, name in enumerate(counted)
    ]
    shape = layout(of, "", entries=max(2, len(data)))
    shape |= {"barmode": "stack", "height": 140 + (6 + 18 * lines_of(labels)) * len(drawn)}
    shape["xaxis"] |= {"tickformat": "~%", "rangemode": "tozero"}
    shape["yaxis"] |= {**categories(drawn["bar"]), "autorange": "reversed"}
    summary = (
        f"The most frequent failure is {_failure(most)}: {share[most]:.1%} of segments, "
        f"mean over {len(runs)} bars."
    )
    return Plot(
        "failures",
        "How translations fail",
        summary,
        {"data": data, "layout": shape},
        table,
        note=note.strip(),
        min_width=label_pixels(labels) + 160,
    )


def _failure(column: str) -> str:
    return column.removeprefix(STACKED).replace("_", "-")

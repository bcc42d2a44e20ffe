"""Trained on, tested on: scores, shares off-target, and what is kept of the whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mtlab.results.figures.plot import Plot, Table
from mtlab.results.figures.rows import (
    SETTING,
    at_one_size,
    clean_and_many_first,
    in_order,
    own,
    rows,
    with_sizes,
)
from mtlab.results.figures.style import categories, label_pixels, layout, plain
from mtlab.results.labels import METRICS, digits

if TYPE_CHECKING:
    import pandas

MOST_ROWS = 24
"""Rows drawn at once; of more, those of one size are."""

_ORANGES = [[0, "#fff5eb"], [0.5, "#fd8d3c"], [1, "#7f2704"]]
_CELL_HEIGHT = 34
_CELL_WIDTH = 46


def transfer_plot(means: pandas.DataFrame, metric: str) -> Plot | None:
    """Scores; None below two sets of training directions."""
    grid, note = _grid(means, "mean")
    if grid is None:
        return None
    form = f".{digits(metric)}f"
    best, worst = grid.stack().idxmax(), grid.stack().idxmin()
    summary = (
        f"Highest: {grid.loc[best]:{form}} in {best[1]} after training on {best[0]}; lowest: "
        f"{grid.loc[worst]:{form}} in {worst[1]} after training on {worst[0]}."
    )
    title = "Trained on, tested on"
    return heatmap("transfer", title, summary, grid, METRICS[metric], form, note=note)


def relative_plot(means: pandas.DataFrame, metric: str) -> Plot | None:
    """Scores in percent of those of the model trained on all directions; None without one.

    That is, of runs that otherwise agree, the one with the most training directions.
    """
    grid, note = _grid(_of_all(_trained_clean(means)), "kept")
    if grid is None:
        return None
    worst = grid.stack().idxmin()
    form = ".0f"
    summary = (
        f"The least that is kept of the {METRICS[metric]} of the model trained on all directions: "
        f"{grid.loc[worst]:{form}}%, in {worst[1]} after training on {worst[0]}."
    )
    title = "In percent of the model trained on all directions"
    shades = {"zmin": 50, "zmax": 100}
    return heatmap("relative", title, summary, grid, "%", form, note=note, shades=shades)


def off_target_plot(means: pandas.DataFrame) -> Plot | None:
    """The share of segments in another language than was asked for."""
    grid, note = _grid(means, "off_target")
    if grid is None:
        return None
    worst = grid.stack().idxmax()
    summary = (
        f"Most often in another language than asked: {grid.loc[worst]:.0%} of {worst[1]} after "
        f"training on {worst[0]}."
    )
    return heatmap(
        "off-target", "Share in another language than asked", summary, grid, "off-target", ".0%",
        note=note, shades={"colorscale": _ORANGES, "zmin": 0, "zmax": 1},
    )  # fmt: skip


def heatmap(
    name: str,
    title: str,
    summary: str,
    grid: pandas.DataFrame,
    unit: str,
    form: str,
    *,
    note: str = "",
    shades: dict[str, Any] | None = None,
) -> Plot:
    """A plot of a grid: training directions down, test directions across.

    Args:
        name: as in `Plot`.
        title: as in `Plot`.
        summary: as in `Plot`.
        grid: numbers, a missing one nan.
        unit: what the numbers are.
        form: how they are written, such as `.1f`.
        note: as in `Plot`.
        shades: what differs from Plotly's colours by value.
    """
    cells = [[None if value != value else float(value) for value in row] for row in grid.to_numpy()]
    down, across = [str(label) for label in grid.index], [str(label) for label in grid.columns]
    shape = layout("tested on", "")
    shape["height"] = 150 + _CELL_HEIGHT * len(down)
    shape["xaxis"] |= categories(across)
    shape["yaxis"] |= {**categories(down), "autorange": "reversed"}
    data = {
        "type": "heatmap",
        "x": across,
        "y": down,
        "z": cells,
        "colorscale": "Cividis",
        "xgap": 1,
        "ygap": 1,
        "texttemplate": f"%{{z:{form}}}",
        "text": [[plain(label)] * len(across) for label in down],
        "hovertemplate": f"%{{text}}<br>tested on %{{x}}<br>{unit} %{{z:{form}}}<extra></extra>",
        "colorbar": {"title": {"text": unit}, "thickness": 12, "tickformat": form},
        **(shades or {}),
    }
    written = tuple(
        (label, *("" if value is None else f"{value:{form}}" for value in row))
        for label, row in zip(down, cells, strict=True)
    )
    return Plot(
        name,
        title,
        summary,
        {"data": [data], "layout": shape},
        Table(f"{title} ({unit})", ("Trained on", *across), written),
        note=note,
        min_width=label_pixels(down) + _CELL_WIDTH * len(across) + 100,
    )


def _grid(means: pandas.DataFrame, column: str) -> tuple[Any, str]:
    """Conditions down, test directions across, and what is left out; None below two conditions."""
    runs = _trained_clean(means)
    if runs["train"].nunique() < 2 or runs[column].isna().all():
        return None, ""
    runs, note = at_one_size(runs, [*SETTING, "recipe", "group"], MOST_ROWS)
    runs = clean_and_many_first(runs, "size")
    table = runs.assign(row=with_sizes(rows(runs)))
    grid = table.pivot_table(index="row", columns="direction", values=column, sort=False)
    grid = grid[in_order(grid.columns)]
    return (grid, note) if len(grid) > 1 else (None, "")


def _trained_clean(means: pandas.DataFrame) -> pandas.DataFrame:
    runs = own(means)
    return runs[(runs["noise"] == "none") & (runs["train"] != "")]


def _of_all(runs: pandas.DataFrame) -> pandas.DataFrame:
    """The rows that have a model of more directions beside them, and it; `kept` in percent."""
    agree = [*(name for name in SETTING if name != "train"), "size", "direction"]
    runs = runs.assign(many=runs["train"].map(_count))
    most = runs.sort_values("many", kind="stable").drop_duplicates(agree, keep="last")
    most = most[(most["many"] > 1) & (most["mean"] > 0)]
    whole = most[[*agree, "mean", "many", "train"]].rename(
        columns={"mean": "whole", "many": "of", "train": "all"}
    )
    beside = runs.merge(whole, on=agree)
    beside = beside[(beside["many"] < beside["of"]) | (beside["train"] == beside["all"])]
    return beside.assign(kept=100 * beside["mean"] / beside["whole"])


def _count(directions: str) -> int:
    return len(directions.split())

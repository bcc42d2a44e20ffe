"""Plots of many runs, each with a sentence that says what it shows.

A figure is a Plotly figure in plain values (`{"data": [...], "layout": {...}}`): the page and the
report draw the same one. What it is drawn from is `mtlab.results.table.over_seeds`, so that every
point stands for all seeds of a condition; its bar runs from the smallest seed to the largest.

Colours are Okabe and Ito's, told apart by people with any colour vision; a marker and a dash go
with each, so that colour never carries the meaning alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mtlab.methods import learns_from, trains
from mtlab.results.labels import (
    METRICS,
    base_label,
    condition_label,
    condition_labels,
    digits,
    told_apart,
    with_noise,
)

if TYPE_CHECKING:
    import pandas

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#8A7A00", "#666666")
MARKERS = ("circle", "diamond", "square", "triangle-up", "x", "star", "cross", "hexagon")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot", "solid", "dash")

_GREY = "#888888"
_AXIS = {"gridcolor": "rgba(136,136,136,0.25)", "zeroline": False}
_CELL_PIXELS = 34

_SETTING = (
    "base", "train", "reverse", "cycle", "method", "steps", "learning_rate", "corpus", "test_corpus"
)  # fmt: skip
"""What noisy runs share with the clean ones they stand beside."""


@dataclass(frozen=True)
class Plot:
    """A figure and its words.

    Attributes:
        name: `size`, `transfer`, `off-target`, `noise` or `failures`.
        title: a few words.
        summary: what it shows, in a sentence made from its numbers.
        figure: `{"data": [...], "layout": {...}}`, for Plotly.
    """

    name: str
    title: str
    summary: str
    figure: dict[str, Any]


def plots(means: pandas.DataFrame, metric: str = "bleu") -> list[Plot]:
    """Every plot that a set of runs makes possible, in the order of the paper's questions.

    Args:
        means: from `over_seeds`.
        metric: `bleu`, `chrf` or `comet`.
    """
    chosen = means[means["metric"] == metric]
    made = (
        size_plot(chosen, metric),
        transfer_plot(chosen, metric),
        off_target_plot(chosen),
        noise_plot(chosen, metric),
        failures_plot(chosen),
    )
    return [plot for plot in made if plot is not None]


def size_plot(means: pandas.DataFrame, metric: str) -> Plot | None:
    """Quality against training size, a line per condition and test direction; None below two
    sizes.
    """
    runs = means[means["system"] == "run"]
    runs = runs.assign(condition=condition_labels(_rows(runs), name=_line_label))
    lines = [
        (name, part.sort_values("size"))
        for name, part in _grouped(runs, ["condition", "direction"])
        if part["size"].nunique() > 1
    ]
    if not lines:
        return None
    several = len({condition for (condition, _), _ in lines}) > 1
    data, gains = [], []
    for number, ((condition, direction), part) in enumerate(lines):
        label = f"{direction}, {condition}" if several else direction
        values = part["mean"].tolist()
        data.append(
            {
                "x": part["size"].tolist(),
                "y": values,
                "name": label,
                "mode": "lines+markers",
                "error_y": _spread(part),
                **_style(number),
            }
        )
        gains.append(f"{label} {_ends(part, metric)}")
    sizes = sorted({size for _, part in lines for size in part["size"]})
    layout = _layout("training pairs, or examples shown", METRICS[metric])
    layout["xaxis"] |= {
        "type": "log",
        "tickvals": sizes,
        "ticktext": [f"{size:,}" for size in sizes],
    }
    summary = "; ".join(gains[:4]) + (f"; and {len(gains) - 4} more lines." if gains[4:] else ".")
    return Plot("size", "Quality against training size", summary, {"data": data, "layout": layout})


def transfer_plot(means: pandas.DataFrame, metric: str) -> Plot | None:
    """Trained on x tested on, as scores; None below two sets of training directions."""
    grid = _grid(means, "mean")
    if grid is None:
        return None
    best = grid.stack().idxmax()
    worst = grid.stack().idxmin()
    form = f".{digits(metric)}f"
    summary = (
        f"Highest: {grid.loc[best]:{form}} in {best[1]} after training on {best[0]}; lowest: "
        f"{grid.loc[worst]:{form}} in {worst[1]} after training on {worst[0]}."
    )
    figure = _heatmap(grid, METRICS[metric], "Cividis", form)
    return Plot("transfer", "Trained on, tested on", summary, figure)


def off_target_plot(means: pandas.DataFrame) -> Plot | None:
    """Trained on x tested on, as the share of segments in another language than was asked for."""
    grid = _grid(means, "off_target")
    if grid is None:
        return None
    worst = grid.stack().idxmax()
    summary = (
        f"Most often in another language than asked: {grid.loc[worst]:.0%} of {worst[1]} after "
        f"training on {worst[0]}."
    )
    figure = _heatmap(grid, "off-target", "Oranges", ".0%")
    return Plot("off-target", "Share in another language than asked", summary, figure)


def noise_plot(means: pandas.DataFrame, metric: str) -> Plot | None:
    """Clean against noisy, by kind and side, a group of bars per test direction and size."""
    runs = means[means["system"] == "run"]
    noisy = runs[runs["noise"] != "none"]
    keys = ["size", "direction", *_SETTING]
    shared = noisy[keys].drop_duplicates()
    runs = runs.merge(shared, on=keys)
    # A direction that was not trained on says what noise does to transfer; that is another plot.
    runs = runs[[row["direction"] in row["train"].split() for row in _rows(runs)]]
    if runs.empty or (runs["noise"] == "none").sum() == 0:
        return None
    groups = [f"{row['direction']}, {row['size']:,}" for row in _rows(runs)]
    groups = told_apart(groups, _rows(runs), _SETTING)
    runs = runs.assign(at=groups, how=[with_noise(row) for row in _rows(runs)])
    order = list(dict.fromkeys(runs.sort_values(["train", "size"])["at"]))
    data, losses = [], []
    clean = runs[runs["noise"] == "none"].set_index("at")["mean"]
    for number, (how, part) in enumerate(_grouped(runs, ["how"])):
        part = part.groupby("at", as_index=False).agg(
            mean=("mean", "mean"), min=("min", "min"), max=("max", "max")
        )
        part = part.set_index("at").reindex([at for at in order if at in set(part["at"])])
        data.append(
            {
                "type": "bar",
                "x": part.index.tolist(),
                "y": part["mean"].tolist(),
                "name": how[0],
                "error_y": _spread(part),
                "marker": {
                    "color": COLOURS[number % len(COLOURS)],
                    "pattern": {"shape": ("", "/", "\\", "x", ".", "-", "+", "|")[number % 8]},
                },
            }
        )
        if how[0] != "clean":
            change = (part["mean"] - clean.reindex(part.index)).mean()
            losses.append(f"{how[0]} {change:+.{digits(metric)}f}")
    layout = _layout("test direction, training pairs", METRICS[metric])
    layout["barmode"] = "group"
    layout["xaxis"] |= {"categoryorder": "array", "categoryarray": order}
    summary = (
        f"{METRICS[metric]} against clean training, mean over the groups: {'; '.join(losses)}."
    )
    return Plot("noise", "Noise, by kind and side", summary, {"data": data, "layout": layout})


def failures_plot(means: pandas.DataFrame) -> Plot | None:
    """Shares of segments that fail, stacked, a bar per condition and test direction.

    Each failed segment stands in one part of its bar, that of its most telling failure.
    """
    from mtlab.results.table import STACKED

    runs = means[means["system"] == "run"]
    columns = [str(name) for name in runs if str(name).startswith(STACKED)]
    names = [name for name in columns if (runs[name] > 0).any()]
    if runs.empty or not names:
        return None
    bars = [f"{label}: {row['direction']}" for label, row in _sized(_rows(runs))]
    data = [
        {
            "type": "bar",
            "orientation": "h",
            "y": bars,
            "x": runs[name].tolist(),
            "name": _failure(name),
            "marker": {
                "color": COLOURS[number % len(COLOURS)],
                "pattern": {"shape": ("", "/", "\\", "x", ".", "-", "+", "|")[number % 8]},
            },
        }
        for number, name in enumerate(names)
    ]
    layout = _layout("share of segments", "")
    layout |= {"barmode": "stack", "height": 140 + 22 * len(bars)}
    layout["xaxis"] |= {"tickformat": "~%"}
    layout["yaxis"] |= {"autorange": "reversed", "automargin": True}
    total = {name: float(runs[name].mean()) for name in names}
    most = max(total, key=lambda name: total[name])
    summary = (
        f"The most frequent failure is {_failure(most)}: {total[most]:.1%} of segments, "
        f"mean over {len(bars)} bars."
    )
    return Plot("failures", "How translations fail", summary, {"data": data, "layout": layout})


def _line_label(row: Any) -> str:
    """A condition whose sizes a line joins."""
    if not trains(row["method"]):
        return f"{base_label(row['base'])}, {learns_from(row['method'], ())}"
    return condition_label(row)


def _sized(rows: list[dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    """Rows with their condition's label, the size behind it."""
    return [
        (f"{label}, {row['size']:,}" if trains(row["method"]) else label, row)
        for label, row in zip(condition_labels(rows), rows, strict=True)
    ]


def _failure(column: str) -> str:
    return column.partition("_")[2].replace("_", "-")


def _grid(means: pandas.DataFrame, column: str) -> Any:
    trained = means["train"] != ""
    runs = means[(means["system"] == "run") & (means["noise"] == "none") & trained]
    if runs["train"].nunique() < 2 or runs[column].isna().all():
        return None
    named = [label for label, _ in _sized(_rows(runs))]
    table = runs.assign(row=named)
    grid = table.pivot_table(index="row", columns="direction", values=column, sort=False)
    return grid if len(grid) > 1 else None


def _heatmap(grid: Any, name: str, colours: str, form: str) -> dict[str, Any]:
    cells = [[None if value != value else float(value) for value in row] for row in grid.to_numpy()]
    layout = _layout("tested on", "")
    layout["height"] = 150 + _CELL_PIXELS * len(grid)
    layout["yaxis"] |= {"autorange": "reversed", "automargin": True}
    data = {
        "type": "heatmap",
        "x": list(grid.columns),
        "y": list(grid.index),
        "z": cells,
        "colorscale": colours,
        "texttemplate": f"%{{z:{form}}}",
        "hovertemplate": f"%{{y}}<br>tested on %{{x}}<br>{name} %{{z:{form}}}<extra></extra>",
        "colorbar": {"title": {"text": name}, "thickness": 12, "tickformat": form},
    }
    return {"data": [data], "layout": layout}


def _ends(part: Any, metric: str) -> str:
    """Where a line begins and where it ends, in words."""
    first, last = part.iloc[0], part.iloc[-1]
    form = f".{digits(metric)}f"
    return (
        f"goes from {first['mean']:{form}} at {first['size']:,} pairs to {last['mean']:{form}} "
        f"at {last['size']:,}"
    )


def _spread(part: pandas.DataFrame) -> dict[str, Any]:
    """From the smallest seed to the largest."""
    return {
        "type": "data",
        "symmetric": False,
        "array": (part["max"] - part["mean"]).tolist(),
        "arrayminus": (part["mean"] - part["min"]).tolist(),
        "thickness": 1,
        "width": 3,
    }


def _style(number: int) -> dict[str, Any]:
    colour = COLOURS[number % len(COLOURS)]
    return {
        "line": {"color": colour, "width": 2, "dash": DASHES[number // len(COLOURS) % len(DASHES)]},
        "marker": {"color": colour, "symbol": MARKERS[number % len(MARKERS)], "size": 8},
    }


def _layout(x: str, y: str) -> dict[str, Any]:
    return {
        "height": 420,
        "margin": {"l": 60, "r": 20, "t": 40, "b": 60},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": _GREY, "size": 13},
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        "xaxis": {**_AXIS, "title": {"text": x}},
        "yaxis": {**_AXIS, "title": {"text": y}},
    }


def _rows(frame: pandas.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def _grouped(frame: pandas.DataFrame, keys: list[str]) -> list[tuple[tuple[Any, ...], Any]]:
    return [(tuple(name), part) for name, part in frame.groupby(keys, sort=False, dropna=False)]

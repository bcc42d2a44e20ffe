"""The paper's own figures, to stand beside a lab's: on one axis only where the metric is one."""

from __future__ import annotations

from dataclasses import replace

from mtlab.results.figures.plot import Plot, Table
from mtlab.results.figures.style import GREY, layout, sizes_axis
from mtlab.results.figures.transfer import heatmap
from mtlab.results.published import SOURCE, Published, published

_MODEL = "wmt22-comet-da"
_LINE = {
    "name": "the paper: Llama-2 7B,<br>mean of 11 directions",
    "mode": "lines+markers",
    "line": {"color": GREY, "width": 2, "dash": "dot"},
    "marker": {"color": GREY, "symbol": "star-diamond", "size": 9},
}


def comparable(metric: str, signatures: tuple[str, ...]) -> bool:
    """Whether scores are on the axis of the paper's: COMET, raw, by the same model.

    Args:
        metric: of the scores.
        signatures: of the scores.
    """
    return metric == "comet" and all(_MODEL in one for one in signatures)


def with_paper(plot: Plot) -> Plot:
    """A plot of COMET against size with the paper's curve in it."""
    sizes, scores = _curve()
    line = {**_LINE, "x": sizes, "y": [score / 100 for score in scores]}
    shape = plot.figure["layout"]
    axis = {**shape["xaxis"], **sizes_axis([*shape["xaxis"]["tickvals"], *sizes])}
    figure = {"data": [*plot.figure["data"], line], "layout": {**shape, "xaxis": axis}}
    note = (
        f"{plot.note} Dotted: {SOURCE}. Another model and, unless it is WMT22, another test set: "
        "compare the shape, not the height."
    )
    return replace(plot, figure=figure, note=note.strip())


def paper_size_plot() -> Plot:
    """The paper's curve on an axis of its own."""
    sizes, scores = _curve()
    shape = layout("training pairs", "COMET × 100")
    shape |= {"height": 300, "showlegend": False}
    shape["xaxis"] |= {**sizes_axis(sizes), "range": [1.2, 5.2]}
    shape["yaxis"] |= {"range": [81.5, 85]}
    summary = (
        f"From {scores[0]:.2f} with {sizes[0]} pairs to {scores[-1]:.2f} with {sizes[-1]:,}: "
        "the first 32 do most of it."
    )
    table = _published("size")
    return Plot(
        "paper-size",
        "The paper's curve",
        summary,
        {"data": [{**_LINE, "x": sizes, "y": scores}], "layout": shape},
        Table(table.title, ("Training pairs", "COMET × 100"), table.rows),
        note=f"{table.title}. {table.note} {SOURCE}.",
    )


def paper_transfer_plot() -> Plot:
    """The paper's heatmap: one training direction, eleven test directions."""
    import pandas

    table = _published("transfer")
    grid = pandas.DataFrame(
        [[float(cell) for cell in row[1:]] for row in table.rows],
        index=[f"{row[0]} only" for row in table.rows],
        columns=list(table.header[1:]),
    )
    into_english = grid.index.str.endswith("-en only")
    misled = grid.loc[into_english, ~grid.columns.str.endswith("-en")].to_numpy()
    summary = (
        f"Trained into English alone, Llama-2 keeps {misled.min():.0f} to {misled.max():.0f}% of "
        "the score out of English; trained on any other direction, "
        f"{grid[~into_english].to_numpy().min():.0f}% or more everywhere."
    )
    return heatmap(
        "paper-transfer", "The paper's transfer", summary, grid, "%", ".0f",
        note=f"{table.title}. {SOURCE}.", shades={"zmin": 50, "zmax": 100},
    )  # fmt: skip


def _curve() -> tuple[list[int], list[float]]:
    found = _published("size").rows
    return [int(size) for size, _ in found], [float(score) for _, score in found]


def _published(question: str) -> Published:
    found = published(question)
    assert found is not None
    return found

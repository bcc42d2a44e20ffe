"""Plots of many runs, each with a sentence that says what it shows, and its numbers.

A figure is a Plotly figure in plain values (`{"data": [...], "layout": {...}}`): the page and the
report draw the same one. What it is drawn from is `mtlab.results.table.over_seeds`, so that every
point stands for all seeds of a condition; its bar runs from the smallest seed to the largest, or,
where there is one seed, over the 95% interval over segments.

    size, transfer, noise, failures   a figure each
    paper                             the paper's own
    plot, style, rows                 what they share
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mtlab.results.figures.failures import MOST_BARS, failures_plot
from mtlab.results.figures.noise import noise_plot
from mtlab.results.figures.paper import (
    comparable,
    paper_size_plot,
    paper_transfer_plot,
    with_paper,
)
from mtlab.results.figures.plot import Plot, Table
from mtlab.results.figures.rows import own
from mtlab.results.figures.size import MOST_LINES, number_of_lines, size_plot
from mtlab.results.figures.transfer import off_target_plot, relative_plot, transfer_plot
from mtlab.results.table import over_directions, over_seeds

if TYPE_CHECKING:
    import pandas

__all__ = [
    "Plot",
    "Table",
    "comparable",
    "failures_plot",
    "noise_plot",
    "off_target_plot",
    "paper_size_plot",
    "paper_transfer_plot",
    "plots",
    "relative_plot",
    "size_plot",
    "transfer_plot",
]

LINES = ("each", "mean")
"""What a line of the size plot stands for: a test direction, or the mean over a run's."""


def plots(
    frame: pandas.DataFrame, metric: str = "bleu", *, at: int | None = None, lines: str = ""
) -> list[Plot]:
    """Every plot that a set of runs makes possible, in the order of the paper's questions.

    Args:
        frame: from `runs_frame`.
        metric: one of `mtlab.results.labels.METRICS`.
        at: the training size of all plots but the one against size; all sizes when not given.
        lines: one of `LINES`; by how many there would be when not given.
    """
    chosen = frame[frame["metric"] == metric]
    each, averaged = over_seeds(chosen), over_seeds(over_directions(chosen))
    here, here_averaged = _at(each, at), _at(averaged, at)
    few = len(own(here)) <= MOST_BARS
    made = (
        _size(each, averaged, metric, lines, tuple(chosen["signature"].unique())),
        transfer_plot(here, metric),
        relative_plot(here, metric),
        off_target_plot(here),
        noise_plot(here, metric),
        failures_plot(here if few else here_averaged),
    )
    return [plot for plot in made if plot is not None]


def _size(
    each: pandas.DataFrame,
    averaged: pandas.DataFrame,
    metric: str,
    wanted: str,
    signatures: tuple[str, ...],
) -> Plot | None:
    many = wanted == "mean" if wanted else number_of_lines(each) > MOST_LINES
    plot = size_plot(averaged if many else each, metric)
    return with_paper(plot) if plot and comparable(metric, signatures) else plot


def _at(means: pandas.DataFrame, size: int | None) -> pandas.DataFrame:
    """The rows of one training size, and of systems that were not trained."""
    if size is None:
        return means
    return means[(means["size"] == size) | (means["train"] == "")]

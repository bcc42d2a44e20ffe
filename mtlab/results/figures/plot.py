"""What a plot is: a figure, its words and its numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Table:
    """Numbers as they are shown.

    Attributes:
        caption: what they are, and what reproduces them.
        header: names of the columns; the first one names the rows.
        rows: text cells.
    """

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Plot:
    """A figure and its words.

    Attributes:
        name: `size`, `transfer`, `relative`, `off-target`, `noise` or `failures`; of the paper's
            own, `paper-size` and `paper-transfer`.
        title: a few words.
        summary: what it shows, in a sentence made from its numbers.
        figure: `{"data": [...], "layout": {...}}`, for Plotly.
        table: the numbers that are drawn.
        note: how to read it: what its bars are, what is left out.
        min_width: pixels it needs; where there are fewer it is scrolled sideways.
    """

    name: str
    title: str
    summary: str
    figure: dict[str, Any]
    table: Table
    note: str = ""
    min_width: int = 0

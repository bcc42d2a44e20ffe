"""What all figures look like: colours, markers, axes, the bars of an interval.

Colours are Okabe and Ito's, told apart by people with any colour vision; a marker and a dash or a
pattern go with each, so that colour never carries the meaning alone.
"""

from __future__ import annotations

import html
import textwrap
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#8A7A00", "#666666")
MARKERS = ("circle", "diamond", "square", "triangle-up", "x", "star", "cross", "hexagon")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
PATTERNS = ("", "/", "\\", "x", ".", "-", "+", "|")
GREY = "#777777"

MANY_ENTRIES = 4
"""A legend with more entries stands beside the figure and not above it."""

_GRID = "rgba(136,136,136,0.25)"
_LABEL_CHARACTERS = 30
_CHARACTER_PIXELS = 7
_FROM_AXIS = 6  # pixels between a label and its bar
_APART = 1.4  # the ratio of two sizes from which both have room for their numbers


def layout(x: str, y: str, *, entries: int = 1) -> dict[str, Any]:
    """A figure's layout.

    Args:
        x: title of the axis across.
        y: title of the axis up.
        entries: how many the legend has.
    """
    axis = {"gridcolor": _GRID, "zeroline": False}
    above = {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0}
    beside = {"orientation": "v", "y": 1, "yanchor": "top", "x": 1.02, "xanchor": "left"}
    return {
        "height": 420,
        "margin": {"l": 60, "r": 20, "t": 40 if 1 < entries <= MANY_ENTRIES else 14, "b": 60},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": GREY, "size": 13},
        "showlegend": entries > 1,
        "legend": beside if entries > MANY_ENTRIES else above,
        "xaxis": {**axis, "title": {"text": x}},
        "yaxis": {**axis, "title": {"text": y}},
    }


def line_style(colour: int, shape: int) -> dict[str, Any]:
    """A line's colour, dash and marker, by number."""
    paint = COLOURS[colour % len(COLOURS)]
    return {
        "line": {"color": paint, "width": 2, "dash": DASHES[shape % len(DASHES)]},
        "marker": {"color": paint, "symbol": MARKERS[shape % len(MARKERS)], "size": 8},
    }


def faint(colour: str) -> str:
    """A colour such as `#0072B2`, half seen through."""
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.5)"


def filling(colour: str, pattern: str) -> dict[str, Any]:
    """A bar's colour, and a pattern on it."""
    stripes = {"shape": pattern, "fillmode": "overlay", "fgcolor": "rgba(255,255,255,0.7)"}
    return {"color": colour, "pattern": {**stripes, "size": 7, "solidity": 0.25}}


def sizes_axis(sizes: Iterable[int]) -> dict[str, Any]:
    """A logarithmic axis of training sizes, each with its number where there is room."""
    kept: list[int] = []
    for size in sorted(set(sizes)):
        if not kept or size >= _APART * kept[-1]:
            kept.append(size)
    return {"type": "log", "tickvals": kept, "ticktext": [f"{size:,}" for size in kept]}


def categories(labels: Iterable[str], width: int = _LABEL_CHARACTERS) -> dict[str, Any]:
    """An axis with a place for each label, in their order; longer ones than `width` in lines."""
    names = list(dict.fromkeys(labels))
    return {
        "type": "category",
        "categoryorder": "array",
        "categoryarray": names,
        "tickmode": "array",
        "tickvals": names,
        "ticktext": [wrapped(name, width) for name in names],
        "automargin": True,
        "ticklabelstandoff": _FROM_AXIS,
    }


def label_pixels(labels: Iterable[str]) -> int:
    """About how wide the widest label is when it stands beside an axis."""
    longest = max((min(len(label), _LABEL_CHARACTERS) for label in labels), default=0)
    return _CHARACTER_PIXELS * longest


def lines_of(labels: Iterable[str]) -> int:
    """In how many lines the longest label stands."""
    return max((wrapped(label).count("<br>") + 1 for label in labels), default=1)


def plain(text: str) -> str:
    """Text that Plotly shows as it is; markup in it means nothing."""
    return html.escape(text, quote=False)


def wrapped(text: str, width: int = _LABEL_CHARACTERS) -> str:
    """`plain` in lines of about so many characters."""
    return "<br>".join(plain(line) for line in textwrap.wrap(text, width)) or plain(text)


def ends(part: pandas.DataFrame) -> pandas.DataFrame:
    """Where each point's bar begins and ends, `low` and `high`.

    From the smallest of several seeds to the largest; of one seed, its 95% interval over segments.

    Args:
        part: rows of `over_seeds`.
    """
    import pandas

    seeds = part["seeds"] > 1
    of_segments = part[["low", "high"]].astype(float)
    return pandas.DataFrame(
        {
            "low": part["min"].where(seeds, of_segments["low"]),
            "high": part["max"].where(seeds, of_segments["high"]),
        }
    )


def bars(part: pandas.DataFrame) -> dict[str, Any]:
    """The error bars of rows of `over_seeds`; a point without an interval has none."""
    reach = ends(part)
    return {
        "type": "data",
        "symmetric": False,
        "array": _numbers(reach["high"] - part["mean"]),
        "arrayminus": _numbers(part["mean"] - reach["low"]),
        "thickness": 1,
        "width": 3,
    }


def bars_are(part: pandas.DataFrame) -> str:
    """What the bars of these points are, in a sentence; empty where there are none."""
    several = part[part["seeds"] > 1]
    over_segments = part[(part["seeds"] == 1) & part["low"].notna()]
    said = []
    if len(several):
        fewest, most = int(several["seeds"].min()), int(several["seeds"].max())
        number = f"{most}" if fewest == most else f"{fewest} to {most}"
        said.append(f"from the smallest of {number} seeds to the largest")
    if len(over_segments):
        said.append("95% bootstrap intervals over segments, where there is one seed")
    return f"Bars: {'; '.join(said)}." if said else "One seed, and no interval."


def interval(row: Any, form: str) -> str:
    """A point's bar in words, for a table."""
    if row["seeds"] > 1:
        return f"{row['min']:{form}} to {row['max']:{form}}, {row['seeds']} seeds"
    if row["low"] != row["low"] or row["low"] is None:
        return "one seed"
    return f"{row['low']:{form}} to {row['high']:{form}}, segments"


def _numbers(series: Any) -> list[float | None]:
    """The values, never below zero; None for what is missing, which JSON has a word for."""
    return [None if value != value else max(0.0, float(value)) for value in series]

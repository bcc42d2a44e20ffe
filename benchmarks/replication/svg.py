"""The two simplest of Plotly's figures as SVG: lines over sizes, and groups of bars; with spreads.

Only what `mtlab.results.figures` makes of them is read: markers, error bars, a logarithmic axis. A
figure of another kind gives None, and a page goes without it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

WIDTH, HEIGHT = 760, 340
LEFT, RIGHT, BOTTOM = 56, 14, 58
LINE = 20  # of the legend
COLUMNS = 3

_SHAPES = {
    "circle": "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0Z",
    "diamond": "M0 -5L5 0L0 5L-5 0Z",
    "square": "M-4 -4H4V4H-4Z",
    "triangle-up": "M0 -5L5 4H-5Z",
    "x": "M-5 -3L-3 -5L0 -2L3 -5L5 -3L2 0L5 3L3 5L0 2L-3 5L-5 3L-2 0Z",
}
"""Markers by Plotly's names; another one is a circle."""

_STYLE = """
text { font: 13px system-ui, sans-serif; fill: #57606a }
.axis { stroke: #8c959f } .grid { stroke: #8c959f; stroke-opacity: 0.25 }
@media (prefers-color-scheme: dark) { text { fill: #9198a1 } }
"""


def svg_of(figure: dict[str, Any], title: str) -> str | None:
    """A figure as SVG text, or None where it is neither of the two kinds.

    Args:
        figure: `{"data": [...], "layout": {...}}`, in plain values.
        title: what a screen reader says of it.
    """
    traces = [one for one in figure["data"] if one.get("visible", True) is True]
    kinds = {one.get("type", "scatter") for one in traces}
    if not traces or any(one.get("xaxis", "x") != "x" for one in traces):
        return None
    lines = kinds == {"scatter"} and all("lines" in one.get("mode", "") for one in traces)
    bars = kinds == {"bar"} and not any(one.get("orientation") == "h" for one in traces)
    if not lines and not bars:
        return None
    top = 12 + LINE * math.ceil(len(traces) / COLUMNS)
    frame = _Frame(traces, figure["layout"], top)
    parts = [*frame.axes(), *_legend(traces)]
    parts += _lines(traces, frame) if lines else _bars(traces, frame)
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT + top}" '
        f'width="{WIDTH}" role="img" aria-label="{escape(title)}">\n'
        f"<style>{_STYLE}</style>\n{body}\n</svg>\n"
    )


class _Frame:
    """The axes: places on the page of values, and what stands beside them."""

    def __init__(self, traces: Sequence[dict[str, Any]], layout: dict[str, Any], top: int) -> None:
        self.top, self.bottom = top, top + HEIGHT - BOTTOM
        self.labels = {axis: _title(layout, axis) for axis in ("xaxis", "yaxis")}
        self.numbers = all(isinstance(x, int | float) for one in traces for x in one["x"])
        axis = layout.get("xaxis") or {}
        self.places = list(dict.fromkeys(x for one in traces for x in one["x"]))
        if self.numbers:
            self.places.sort()
        elif axis.get("categoryarray"):
            self.places.sort(key=list(axis["categoryarray"]).index)
        labels = [f"{x:,}" if self.numbers else str(x) for x in self.places]
        self.ticks = list(
            zip(axis.get("tickvals", self.places), axis.get("ticktext", labels), strict=True)
        )
        self.log = axis.get("type") == "log"
        ends = [end for one in traces for *_, low, high in _points(one) for end in (low, high)]
        self.step = _step(max([*ends, 1e-9]) - min([*ends, 0.0]))
        self.low = math.floor(min([*ends, 0.0]) / self.step) * self.step
        self.high = math.ceil(max([*ends, self.step]) / self.step) * self.step

    def x(self, value: Any) -> float:
        """Where a value of the x axis stands; a category in the middle of its slot."""
        inner = WIDTH - LEFT - RIGHT
        if not self.numbers:
            return LEFT + inner * (self.places.index(value) + 0.5) / len(self.places)
        first, last, one = (self._scaled(v) for v in (self.places[0], self.places[-1], value))
        share = (one - first) / (last - first) if last > first else 0.5
        return LEFT + 18 + (inner - 36) * share

    def y(self, value: float) -> float:
        """Where a value of the y axis stands."""
        share = (value - self.low) / (self.high - self.low)
        return self.bottom - (self.bottom - self.top) * share

    @property
    def slot(self) -> float:
        """How wide a category is."""
        return (WIDTH - LEFT - RIGHT) / len(self.places)

    def axes(self) -> Iterator[str]:
        """Grid lines, ticks and titles."""
        digits = max(0, -math.floor(math.log10(self.step)))
        for number in range(round((self.high - self.low) / self.step) + 1):
            value = self.low + number * self.step
            y = self.y(value)
            yield f'<path class="grid" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>'
            yield _text(LEFT - 8, y + 4, f"{value:.{digits}f}", "end")
        for value, label in self.ticks:
            yield _text(self.x(value), self.bottom + 18, _plain(label), "middle")
        yield f'<path class="axis" d="M{LEFT} {self.bottom}H{WIDTH - RIGHT}"/>'
        yield _text((LEFT + WIDTH - RIGHT) / 2, self.bottom + 42, self.labels["xaxis"], "middle")
        middle = (self.top + self.bottom) / 2
        yield (
            f'<text x="14" y="{middle:.1f}" text-anchor="middle" '
            f'transform="rotate(-90 14 {middle:.1f})">{escape(self.labels["yaxis"])}</text>'
        )

    def _scaled(self, value: float) -> float:
        return math.log(value) if self.log and value > 0 else float(value)


def _lines(traces: Sequence[dict[str, Any]], frame: _Frame) -> Iterator[str]:
    for trace in traces:
        colour = escape(str(trace["line"]["color"]))
        points = [(frame.x(x), frame.y(y), low, high) for x, y, low, high in _points(trace)]
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y, *_ in points)
        dash = {"dash": "8 5", "dot": "2 4"}.get(trace["line"].get("dash", "solid"), "")
        stroke = f'stroke="{colour}" fill="none"'
        yield f'<path d="M{path}" {stroke} stroke-width="2" stroke-dasharray="{dash}"/>'
        for x, y, low, high in points:
            yield f'<path d="M{x:.1f} {frame.y(low):.1f}V{frame.y(high):.1f}" {stroke}/>'
            shape = _SHAPES.get((trace.get("marker") or {}).get("symbol"), _SHAPES["circle"])
            yield f'<path transform="translate({x:.1f} {y:.1f})" d="{shape}" fill="{colour}"/>'


def _bars(traces: Sequence[dict[str, Any]], frame: _Frame) -> Iterator[str]:
    width = frame.slot * 0.84 / len(traces)
    for number, trace in enumerate(traces):
        colour = escape(str(trace["marker"]["color"]))
        for x, y, low, high in _points(trace):
            left = frame.x(x) - frame.slot * 0.42 + number * width
            start, end = sorted((frame.y(y), frame.y(0.0)))
            yield (
                f'<rect x="{left:.1f}" y="{start:.1f}" width="{width * 0.9:.1f}" '
                f'height="{end - start:.1f}" fill="{colour}"/>'
            )
            middle = left + width * 0.45
            yield (f'<path class="axis" d="M{middle:.1f} {frame.y(low):.1f}V{frame.y(high):.1f}"/>')


def _legend(traces: Sequence[dict[str, Any]]) -> Iterator[str]:
    across = (WIDTH - LEFT - RIGHT) / COLUMNS
    for number, trace in enumerate(traces):
        x, y = LEFT + across * (number % COLUMNS), 8 + LINE * (number // COLUMNS)
        colour = (trace.get("line") or trace["marker"])["color"]
        yield f'<rect x="{x:.1f}" y="{y}" width="12" height="12" fill="{escape(str(colour))}"/>'
        yield _text(x + 18, y + 11, _plain(trace.get("name", "")), "start")


def _points(trace: dict[str, Any]) -> Iterator[tuple[Any, float, float, float]]:
    """Each point with the ends of its spread; those without a value are left out."""
    spread = trace.get("error_y") or {}
    none = [0.0] * len(trace["y"])
    above = spread.get("array") or none
    below = spread.get("arrayminus") or above
    for x, y, up, down in zip(trace["x"], trace["y"], above, below, strict=True):
        if y is not None and y == y:
            yield x, float(y), float(y) - (down or 0), float(y) + (up or 0)


def _step(height: float) -> float:
    """A round distance between grid lines, so that there are about six."""
    rough = height / 6
    power = 10.0 ** math.floor(math.log10(rough))
    return next(power * one for one in (1, 2, 5, 10) if power * one >= rough)


def _title(layout: dict[str, Any], axis: str) -> str:
    title = (layout.get(axis) or {}).get("title") or {}
    return str(title.get("text", "") if isinstance(title, dict) else title)


def _plain(text: object) -> str:
    """Text without the line breaks that Plotly reads."""
    return str(text).replace("<br>", " ")


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'

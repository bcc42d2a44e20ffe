"""A plot on the page: the figure, buttons that save it, and the numbers below it."""

from __future__ import annotations

from typing import Any

import gradio as gr

from mtlab.results.figures import Plot, Table
from mtlab.settings import ASSETS
from mtlab.ui.markup import escape, table
from mtlab.ui.plotly_js import plotly_head

_TEMPLATE = """
<div class="figure-part" hidden>
  <div class="figure-scroll"><div class="figure" role="img"></div></div>
  <div class="figure-buttons">
    <button type="button" data-format="png" aria-label="Save {what} as PNG">PNG</button>
    <button type="button" data-format="svg" aria-label="Save {what} as SVG">SVG</button>
  </div>
</div>
"""
_MOST_ROWS = 200


def figure_chart(what: str, elem_id: str, plot: Plot | None = None) -> gr.HTML:
    """A chart; give it `chart_value` of another plot to draw that.

    Args:
        what: what its buttons save, such as "the size plot".
        elem_id: of the component.
        plot: what it shows at first.
    """
    scripts = ("fit_figure.js", "figure.js")
    return gr.HTML(
        value=chart_value(plot),
        label=what,
        html_template=_TEMPLATE.format(what=escape(what)),
        js_on_load="\n".join((ASSETS / name).read_text(encoding="utf-8") for name in scripts),
        head=plotly_head(),
        elem_id=elem_id,
        elem_classes="figure-chart",
    )


def chart_value(plot: Plot | None) -> dict[str, Any]:
    """What a chart shows of a plot; nothing of None."""
    if plot is None:
        return {}
    return {
        "name": plot.name,
        "summary": plot.summary,
        "figure": plot.figure,
        "min_width": plot.min_width,
    }


def numbers_html(plot: Plot | None) -> str:
    """How to read a plot, and its numbers, folded away; empty for None."""
    if plot is None:
        return ""
    note = f'<p class="quiet">{escape(plot.note)}</p>' if plot.note else ""
    return (
        f'{note}<details class="numbers"><summary>The numbers</summary>'
        f"{_table(plot.table)}</details>"
    )


def _table(numbers: Table) -> str:
    rows = [tuple(escape(cell) for cell in row) for row in numbers.rows[:_MOST_ROWS]]
    caption = numbers.caption
    if len(numbers.rows) > _MOST_ROWS:
        caption += f"; {_MOST_ROWS} of {len(numbers.rows):,} rows, all of them in the CSV"
    return table(numbers.header, rows, caption=caption, css_class="numbers")

"""A chart that is updated in place, so that zoom survives while a run goes on.

`gr.Plot` mounts its chart anew at each update; here an HTML component holds one `div` and hands
each new figure to `Plotly.react`.
"""

from __future__ import annotations

from typing import Any

import gradio as gr

from mtlab.settings import ASSETS
from mtlab.ui.plotly_js import plotly_head

# Okabe and Ito's colours, told apart by people with any colour vision; a dash or marker goes with
# each, so that colour never carries the meaning alone.
BLUE, ORANGE, GREEN, PINK = "#0072B2", "#E69F00", "#009E73", "#CC79A7"
_GREY = "#888888"


def live_chart(label: str, elem_id: str) -> gr.HTML:
    """An empty live chart; give it a figure from `training_figure` as its value."""
    return gr.HTML(
        value={},
        label=label,
        html_template='<div class="live-chart" role="img"></div>',
        js_on_load=(ASSETS / "live_chart.js").read_text(encoding="utf-8"),
        head=plotly_head(),
        elem_id=elem_id,
    )


def training_figure(
    steps: list[dict[str, Any]], probes: list[dict[str, Any]]
) -> tuple[dict[str, Any], str]:
    """Loss and probe quality over optimizer steps, as a Plotly figure, and one sentence on it.

    Args:
        steps: events of kind `step`, with `step` and `loss` (nats per target token).
        probes: events of kind `probe`, with `step`, `chrf` (0-100) and `n` segments.
    """
    traces: list[dict[str, Any]] = [
        {
            "x": [event["step"] for event in steps],
            "y": [event["loss"] for event in steps],
            "name": "training loss",
            "mode": "lines",
            "line": {"color": BLUE, "width": 2},
        },
        {
            "x": [event["step"] for event in probes],
            "y": [event["chrf"] for event in probes],
            "name": "chrF on the probe set",
            "mode": "lines+markers",
            "yaxis": "y2",
            "line": {"color": ORANGE, "width": 2, "dash": "dot"},
            "marker": {"symbol": "diamond", "size": 9},
        },
    ]
    axis = {"gridcolor": "rgba(136,136,136,0.25)", "zeroline": False}
    layout = {
        "height": 320,
        "margin": {"l": 50, "r": 50, "t": 10, "b": 40},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": _GREY, "size": 13},
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        "uirevision": "keep",
        "xaxis": {**axis, "title": {"text": "optimizer step"}, "rangemode": "tozero"},
        "yaxis": {**axis, "title": {"text": "loss"}, "rangemode": "tozero"},
        "yaxis2": {
            "title": {"text": "chrF"},
            "overlaying": "y",
            "side": "right",
            "range": [0, 100],
            "tickmode": "array",
            "tickvals": [0, 25, 50, 75, 100],
            "showgrid": False,
        },
    }
    return {"data": traces, "layout": layout}, _summary(steps, probes)


def _summary(steps: list[dict[str, Any]], probes: list[dict[str, Any]]) -> str:
    if not steps:
        return "The chart begins with the first optimizer step."
    text = f"Loss {steps[0]['loss']:.2f} at step {steps[0]['step']}"
    if len(steps) > 1:
        text += f", {steps[-1]['loss']:.2f} at step {steps[-1]['step']}"
    if probes:
        last = probes[-1]
        text += f"; chrF {last['chrf']:.1f} on {last['n']} probe segments at step {last['step']}"
    return text + "."

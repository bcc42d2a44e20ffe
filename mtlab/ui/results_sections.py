"""The plots of the Results tab: each with findings above it, numbers below, the paper beside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr

from mtlab.results.board import Drawing, View
from mtlab.results.figures import Plot, comparable, paper_size_plot, paper_transfer_plot
from mtlab.settings import ASSETS
from mtlab.ui.figure_chart import chart_value, figure_chart, numbers_html
from mtlab.ui.markup import escape, notice

_HEATMAPS = {
    "transfer": "Scores",
    "relative": "% of all directions",
    "off-target": "Share off-target",
}
_ALL_SIZES = ("All sizes", 0)


@dataclass(frozen=True)
class Wanted:
    """A plot of the page before there are runs for it.

    Attributes:
        name: of the plot and of its findings.
        title: a question a researcher has.
        needs: what runs would draw it.
    """

    name: str
    title: str
    needs: str


WANTED = (
    Wanted(
        "size",
        "How much data does it take?",
        "Runs of two sizes draw this curve: the sweep paper/size makes them.",
    ),
    Wanted(
        "transfer",
        "Does one direction teach the others?",
        "Runs trained on different directions draw this: the sweep paper/direction makes them.",
    ),
    Wanted(
        "noise",
        "Does noise hurt, and on which side?",
        "Clean runs beside noisy ones draw this: the sweep paper/noise makes them.",
    ),
    Wanted(
        "failures",
        "How do translations fail?",
        "No segment of these runs failed, or nobody looked.",
    ),
)


@dataclass(frozen=True)
class Section:
    """The components of one plot."""

    wanted: Wanted
    findings: gr.HTML
    summary: gr.HTML
    chart: gr.HTML
    numbers: gr.HTML

    @property
    def parts(self) -> list[gr.HTML]:
        """What `drawn` fills."""
        return [self.summary, self.chart, self.numbers]

    def drawn(self, plot: Plot | None) -> dict[Any, Any]:
        """The plot, or what would draw it."""
        summary = _sentence(plot.summary) if plot else notice(self.wanted.needs)
        values = (summary, chart_value(plot), numbers_html(plot))
        return dict(zip(self.parts, values, strict=True))


@dataclass(frozen=True)
class Sections:
    """All plots of the page, and how they are drawn.

    Attributes:
        by_name: the sections.
        lines: what a line of the size plot is.
        at: the training size of the plots below it.
        transfer: which numbers the heatmap shows.
        paper_size: the paper's curve beside the size plot.
    """

    by_name: Mapping[str, Section]
    lines: gr.Radio
    at: gr.Dropdown
    transfer: gr.Radio
    paper_size: gr.Column

    @property
    def inputs(self) -> list[Any]:
        """The controls that say how plots are drawn."""
        return [self.lines, self.at, self.transfer]

    def updates(
        self, view: View, plots: Mapping[str, Plot], drawing: Drawing, transfer: Any
    ) -> dict[Any, Any]:
        """Every plot of a view, and the controls with what there is to choose.

        Args:
            view: what is looked at.
            plots: by name.
            drawing: how they were drawn.
            transfer: which numbers the heatmap shows, if there are any.
        """
        there = [name for name in _HEATMAPS if name in plots]
        shown = transfer if transfer in there else (there[0] if there else None)
        drawn = {**plots, "transfer": plots[shown]} if shown else plots
        updates: dict[Any, Any] = {}
        for name, section in self.by_name.items():
            updates |= section.drawn(drawn.get(name))
        sizes = [_ALL_SIZES, *((f"{size:,} pairs", size) for size in view.sizes)]
        several = view.scores["direction"].nunique() > 1 and "size" in plots
        one_axis = comparable(view.metric, tuple(view.scores["signature"].unique()))
        return {
            **updates,
            self.lines: gr.Radio(visible=several),
            self.at: gr.update(choices=sizes, value=drawing.at or 0, visible=len(sizes) > 2),
            self.transfer: gr.update(
                choices=[(_HEATMAPS[name], name) for name in there],
                value=shown,
                visible=len(there) > 1,
            ),
            self.paper_size: gr.Column(visible=not (one_axis and "size" in plots)),
        }


def sections() -> Sections:
    """Lay the plots out, empty."""
    size, transfer, noise, failures = WANTED
    made: dict[str, Section] = {}
    with gr.Column(elem_classes="results-section"):
        findings = _heading(size)
        lines = gr.Radio(
            [("Automatic", ""), ("A line per direction", "each"), ("Mean over directions", "mean")],
            value="",
            label="Lines",
            elem_id="results-lines",
            elem_classes="slim",
        )
        with gr.Row(equal_height=False):
            with gr.Column(scale=2, min_width=320):
                made["size"] = _section(size, findings)
            with gr.Column(scale=1, min_width=300, elem_classes="of-the-paper") as paper_size:
                _paper(paper_size_plot())
    at = gr.Dropdown(
        [_ALL_SIZES],
        value=0,
        label="Training pairs of the plots below",
        elem_id="results-at",
        elem_classes="slim",
        visible=False,
    )
    with gr.Column(elem_classes="results-section"):
        findings = _heading(transfer)
        shown = gr.Radio(
            [],
            label="The heatmap shows",
            elem_id="results-transfer-shows",
            elem_classes="slim",
            visible=False,
        )
        made["transfer"] = _section(transfer, findings)
        with gr.Column(elem_classes="of-the-paper"):
            _paper(paper_transfer_plot())
    for one in (noise, failures):
        with gr.Column(elem_classes="results-section"):
            made[one.name] = _section(one, _heading(one))
    return Sections(made, lines, at, shown, paper_size)


def asking_html(elem_id: str) -> gr.HTML:
    """Text with buttons that ask to open a run or to compare some."""
    script = (ASSETS / "asks.js").read_text(encoding="utf-8")
    return gr.HTML(js_on_load=script, elem_id=elem_id, elem_classes="asking")


def _heading(wanted: Wanted) -> gr.HTML:
    gr.HTML(f"<h2>{escape(wanted.title)}</h2>")
    return asking_html(f"results-{wanted.name}-findings")


def _section(wanted: Wanted, findings: gr.HTML) -> Section:
    name = f"results-{wanted.name}"
    return Section(
        wanted,
        findings,
        gr.HTML(elem_id=f"{name}-summary"),
        figure_chart(f"the plot: {wanted.title}", f"{name}-chart"),
        gr.HTML(elem_id=f"{name}-numbers"),
    )


def _sentence(text: str) -> str:
    return f'<p class="figure-summary">{escape(text)}</p>'


def _paper(plot: Plot) -> None:
    gr.HTML(f"<h3>{escape(plot.title)}</h3>{_sentence(plot.summary)}")
    figure_chart(f"the plot: {plot.title}", f"results-{plot.name}-chart", plot)
    gr.HTML(numbers_html(plot))

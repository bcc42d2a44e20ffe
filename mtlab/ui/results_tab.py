"""The Results tab: what the finished runs of this lab show, beside what the paper found.

Plots come at once; differences are tested behind them, in another process, and their sentences
follow. Nothing polls: the tab looks again when it is opened, and when asked to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import gradio as gr

from mtlab.errors import InputError, NotAvailable
from mtlab.lab import Lab
from mtlab.results.board import Board, Drawing, View
from mtlab.results.figures import LINES
from mtlab.results.headlines import headlines
from mtlab.results.report import Report
from mtlab.ui import results_text as text
from mtlab.ui.downloads import WITHOUT_FINDINGS, download_buttons
from mtlab.ui.errors import shown
from mtlab.ui.markup import notice
from mtlab.ui.results_filters import filter_controls, filter_updates, selection_of
from mtlab.ui.results_sections import asking_html, sections
from mtlab.ui.wires import Wires, asked

MOST_COMPARED = 4
_FILTERS = 6


def build_results_tab(lab: Lab, tab: gr.Tab, wires: Wires) -> None:
    """Lay the tab out and wire what happens inside it."""
    board = Board(lab.store)
    seen = gr.State(None)
    overview = gr.HTML(notice(text.READING), elem_id="results-overview")
    with gr.Column(visible=False) as body:
        filters = filter_controls()
        with gr.Row(elem_id="results-bar"):
            refresh = gr.Button("Look again", size="sm", min_width=90, elem_id="results-refresh")
            download_buttons("mtlab-results", _report(board), filters.inputs)
        tested = gr.HTML(elem_id="results-tested")
        plots = sections()
        with gr.Column(elem_classes="results-section"):
            other = asking_html("results-other-findings")
        with gr.Accordion("The runs behind these results", open=False):
            runs = asking_html("results-runs-behind")
    asking = [*(one.findings for one in plots.by_name.values()), other]
    inputs = [*filters.inputs, *plots.inputs]

    def found(view: View) -> dict[Any, Any]:
        """The findings, where they are known; else that they are on their way."""
        known = board.known_findings(view)
        if not known:
            unknown = known is None
            why = text.waiting_html() if unknown else text.none_html(board.comparisons(view))
            return {**dict.fromkeys(asking, ""), tested: why}
        records = {record.id: record for record in view.records}
        parts = headlines(known)
        return {
            **{
                section.findings: text.findings_html(parts[name], records)
                for name, section in plots.by_name.items()
            },
            other: text.other_findings_html(parts["other"], records),
            tested: text.tested_html(known),
        }

    def looked(view: View, how: Sequence[Any]) -> dict[Any, Any]:
        drawing, transfer = _drawing(how, view), how[-1]
        return {
            seen: view.key,
            body: gr.Column(visible=True),
            overview: text.overview_html(view),
            runs: text.runs_html(view),
            **filter_updates(filters, view),
            **plots.updates(view, board.plots(view, drawing), drawing, transfer),
            **found(view),
        }

    def show(*values: Any) -> dict[Any, Any]:
        return looked(board.view(selection_of(values[:_FILTERS])), values[_FILTERS:])

    def arrive(key: Any, *values: Any) -> dict[Any, Any]:
        """Look again, if anything is new; filters by what is gone are opened."""
        view = board.view(board.still_there(selection_of(values[:_FILTERS])))
        if not view.total:
            return {overview: notice(text.EMPTY), body: gr.Column(visible=False), seen: None}
        if view.key == key:
            return {seen: gr.skip()}
        return looked(view, values[_FILTERS:])

    def test(*values: Any) -> Any:
        """Make the findings known; the next event shows them, unless others are looked at then."""
        try:
            board.findings(board.view(selection_of(values)))
        except NotAvailable as error:
            return notice(str(error), css_class="problem")
        return gr.skip()

    def place(*values: Any) -> dict[Any, Any]:
        view = board.view(selection_of(values))
        return found(view) if board.known_findings(view) is not None else {tested: gr.skip()}

    def ask(event: gr.EventData) -> tuple[Any, Any]:
        return _asked(lab, event._data)

    quiet: dict[str, Any] = {"api_visibility": "private"}
    everything = [
        seen, body, overview, runs, tested, *asking, *filters.inputs, *plots.inputs,
        plots.paper_size,
        *(part for one in plots.by_name.values() for part in one.parts),
    ]  # fmt: skip
    at_once: dict[str, Any] = {
        **quiet, "concurrency_limit": None, "show_progress": "minimal",
        "show_progress_on": [overview], "trigger_mode": "always_last",
    }  # fmt: skip
    shows = (
        gr.on([tab.select, refresh.click], shown(arrive), [seen, *inputs], everything, **at_once),
        gr.on([part.input for part in inputs], shown(show), inputs, everything, **at_once),
    )
    behind: dict[str, Any] = {**quiet, "show_progress": "hidden", "trigger_mode": "multiple"}
    for one in shows:
        one.then(
            shown(test), filters.inputs, [tested], concurrency_limit=4, **behind
        ).then(
            shown(place), filters.inputs, [tested, *asking], concurrency_limit=None, **behind
        )  # fmt: skip
    for part in (*asking, runs):
        part.click(
            shown(ask), None, [wires.open_run, wires.compare], concurrency_limit=None, **quiet
        )


def _report(board: Board) -> Any:
    def make(ending: str, *values: Any) -> Report:
        view = board.view(selection_of(values))
        if view.scores.empty:
            raise InputError("there is nothing to write", field="Runs", fix="open a filter again")
        return board.tables(view) if ending in WITHOUT_FINDINGS else board.report(view)

    return make


def _drawing(how: Sequence[Any], view: View) -> Drawing:
    """How plots are drawn, of the values of `Sections.inputs`; a size that is gone is left open.

    Raises:
        InputError: a value that no control gives.
    """
    lines, at, _ = how
    if lines not in ("", None, *LINES):
        raise InputError(f"'{lines}' draws no line", field="Lines", fix="choose one of the list")
    if at is not None and (isinstance(at, bool) or not isinstance(at, int)):
        raise InputError("no such size", field="Training pairs", fix="choose one of the list")
    return Drawing(at=at if at in view.sizes else None, lines=lines or "")


def _asked(lab: Lab, data: Any) -> tuple[Any, Any]:
    """What a click asks of Runs and of Compare.

    Raises:
        InputError: it names no run, or not two to four.
    """
    wanted = data if isinstance(data, Mapping) else {}
    if isinstance(wanted.get("open"), str):
        return asked(lab.run(wanted["open"]).id), gr.skip()
    named = wanted.get("compare")
    if not isinstance(named, list) or not 1 <= len(named) <= MOST_COMPARED:
        raise InputError(
            f"{len(named) if isinstance(named, list) else 'no'} runs are ticked",
            field="Runs", fix=f"tick two to {MOST_COMPARED}",
        )  # fmt: skip
    return gr.skip(), asked([lab.run(str(one)).id for one in named])

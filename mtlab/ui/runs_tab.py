"""The Runs tab: the experiment matrix, the queue, the open run, and the list of all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from mtlab.lab import Lab
from mtlab.results.overview import Overview, Snapshot
from mtlab.ui.clicks import clicked
from mtlab.ui.errors import shown
from mtlab.ui.matrix import MatrixPart
from mtlab.ui.part import Part, all_changes
from mtlab.ui.pulse import Pulse
from mtlab.ui.queue import QueuePart
from mtlab.ui.run_actions import wire_actions
from mtlab.ui.run_card import RunCard
from mtlab.ui.run_list import RunList
from mtlab.ui.wires import Asked, Wires

_POLLING: dict[str, Any] = {
    "concurrency_limit": None, "show_progress": "hidden", "api_visibility": "private",
}  # fmt: skip
_QUIET: dict[str, Any] = {"api_visibility": "private"}
# The open run lies below the matrix: who opens one is taken there.
_GO_TO_RUN = """
() => setTimeout(() => {
  const title = document.querySelector("#run-head h3");
  document.querySelector("#run-head")?.scrollIntoView({ behavior: "smooth", block: "start" });
  title?.focus({ preventScroll: true });
}, 300)
"""
_EMPTY = (
    '<p class="notice">This lab has no runs yet: <a href="?tab=launch">launch the first</a>.</p>'
)


@dataclass(frozen=True)
class RunsTab:
    """The components other parts of the page speak to.

    Attributes:
        opened: the id of the visitor's open run; never seen, written by whatever opens one.
        pulse: what keeps the tab up to date.
    """

    opened: gr.Textbox
    pulse: Pulse


def build_runs_tab(lab: Lab, wires: Wires) -> RunsTab:
    """Lay the tab out and wire what happens inside it."""
    overview = Overview(lab.store)
    opened = gr.Textbox("", label="Open run", elem_id="run-opened", visible="hidden")
    empty = gr.HTML(elem_id="runs-empty")
    with gr.Column(elem_id="runs-body"):
        gr.Markdown("### Experiment matrix")
        matrix = MatrixPart(lab, overview, opened)
        gr.Markdown("### Queue")
        queue = QueuePart(lab)
        card = RunCard(lab, opened)
        gr.Markdown("### All runs")
        listing = RunList(lab, overview, opened)
    of_runs = [_emptiness(empty), matrix.part, queue.part, listing.part]
    parts = [*of_runs, card.part]
    inputs, outputs = _ends(parts)

    def look(*values: Any) -> list[Any]:
        return all_changes(parts, overview.look(), values)

    def refresh(event: Any) -> None:
        event.then(shown(look), inputs, outputs, **_POLLING)

    words = {
        "runs": lambda run: str(overview.glance().mark),
        "run": lambda run: card.mark(overview.glance(), run),
    }
    pulse = Pulse(words, [opened])
    for name, some in (("runs", of_runs), ("run", [card.part])):
        pulse.wire(name, _glancing(overview, some), *_ends(some))
    # Of its own: an event is passed over while one like it is on its way.
    opened.change(shown(look), inputs, outputs, trigger_mode="always_last", **_POLLING)

    def choose(event: gr.EventData) -> str:
        return lab.run(clicked(event).value).id

    def show(question: Asked, seen: Any) -> tuple[str, Any]:
        run = lab.run(str(question.value)).id
        return run, matrix.showing(seen, run)

    blocks = (matrix.html, queue.html, card.head, listing.html)
    opening = [
        *(block.select(shown(choose), None, [opened], **_QUIET) for block in blocks),
        wires.open_run.change(
            shown(show), [wires.open_run, matrix.shown], [opened, matrix.shown], **_QUIET
        ),
    ]
    for event in opening:
        event.then(None, None, None, js=_GO_TO_RUN, **_QUIET)
    matrix.wire(opened, wires)
    queue.wire(refresh)
    listing.wire(wires, refresh)
    wire_actions(lab, card, opened, wires, refresh)
    refresh(
        card.step.input(
            shown(card.pick), [opened, card.step], [card.picked], show_progress="hidden", **_QUIET
        )
    )
    return RunsTab(opened=opened, pulse=pulse)


def _ends(parts: Sequence[Part]) -> tuple[list[Any], list[Any]]:
    """The inputs and the outputs of parts, one after the other."""
    inputs = [one for part in parts for one in part.inputs]
    return inputs, [one for part in parts for one in part.outputs]


def _glancing(overview: Overview, parts: Sequence[Part]) -> Callable[..., list[Any]]:
    """What has changed in some parts."""
    return lambda *values: all_changes(parts, overview.glance(), values)


def _emptiness(empty: gr.HTML) -> Part:
    """A lab without runs says where to begin. The style sheet hides the rest then: a column's
    visibility that was set while its tab was being opened has been seen to get lost.
    """
    filled = gr.State(None)

    def changes(snapshot: Snapshot, was_filled: bool | None) -> list[Any]:
        is_filled = bool(snapshot.runs)
        if is_filled == was_filled:
            return [gr.skip(), gr.skip()]
        return [is_filled, "" if is_filled else _EMPTY]

    return Part([filled], [filled, empty], changes)

"""Options that most of the page's events share."""

from __future__ import annotations

from typing import Any, TypeGuard

import gradio as gr
from gradio.blocks import Block
from gradio.components import Component

QUIET: dict[str, Any] = {
    "show_progress": "hidden",
    "api_visibility": "private",
    "concurrency_limit": None,
}
"""Of what answers at once: no visitor waits for another, and nothing is drawn over the page."""

FOLLOWING: dict[str, Any] = {**QUIET, "trigger_mode": "always_last"}
"""Of what follows a person's typing: the last state is what counts."""


def keep_progress_where_it_shows(page: gr.Blocks) -> None:
    """Have the page keep no state of progress for what never shows any.

    Gradio keeps one for every output of every event there has been, tells each of them of every
    later event, twice, and of a container all that is in it: on this page that was most of what a
    browser did.
    """
    for event in page.fns.values():
        seen = [] if event.show_progress == "hidden" else event.outputs
        event.show_progress_on = [one for one in seen if _shows_progress(one)]


def _shows_progress(block: Block) -> TypeGuard[Component]:
    if isinstance(block, (gr.State, gr.Timer)) or not isinstance(block, Component):
        return False  # the last are containers, such as a tab
    return bool(block.visible != "hidden")

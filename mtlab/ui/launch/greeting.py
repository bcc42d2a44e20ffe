"""What an empty lab shows first: one sentence and one button."""

from __future__ import annotations

import gradio as gr

from mtlab.lab import Lab
from mtlab.ui.errors import shown
from mtlab.ui.events import QUIET
from mtlab.ui.wires import Wires

_SENTENCE = (
    "<h2>See it happen</h2><p>nano, a small model that has never translated, is shown 32 sentence "
    "pairs on this machine; you read what it made of German and English before and after.</p>"
)


def greeting(lab: Lab, page: gr.Blocks, wires: Wires) -> gr.Button:
    """The card, shown as long as the lab has no runs; gives its button."""
    with gr.Row(visible=not lab.runs(), elem_id="greeting", equal_height=True) as card:
        gr.HTML(_SENTENCE, min_width=260)
        button = gr.Button(
            "Run the 60-second demonstration",
            variant="primary",
            elem_id="demonstrate",
            scale=0,
            min_width=280,
        )
    gr.on(
        [page.load, wires.open_run.change],
        shown(lambda: gr.Row(visible=not lab.runs())),
        None,
        [card],
        **QUIET,
    )
    return button

"""A question before something is removed, and its two answers."""

from __future__ import annotations

from typing import Any

import gradio as gr

from mtlab.ui.errors import shown
from mtlab.ui.markup import notice


class Confirmation:
    """Not seen until `asking`; a click on `yes` or `no` is the page's to answer.

    Args:
        elem_id: the block's id on the page.
    """

    def __init__(self, elem_id: str) -> None:
        self.pending = gr.State(None)
        # The style sheet hides the box while there is no question in it.
        with gr.Column(elem_id=elem_id, elem_classes="confirmation"):
            self.question = gr.HTML()
            with gr.Row():
                self.yes = gr.Button("Yes, remove", size="sm", variant="stop", min_width=100)
                self.no = gr.Button("No, keep", size="sm", min_width=100)
        self.outputs = [self.question, self.pending]
        self.no.click(shown(self.gone), None, self.question, api_visibility="private")

    @staticmethod
    def asking(question: str, pending: Any) -> tuple[str, Any]:
        """The outputs that ask; `pending` is what is asked about."""
        return notice(question), pending

    @staticmethod
    def gone() -> str:
        """No question."""
        return ""

"""Panels that a button opens, one at a time; an open one follows the form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import gradio as gr

from mtlab.ui.errors import shown
from mtlab.ui.events import FOLLOWING, QUIET


class Panel(Protocol):
    """What a button opens.

    Attributes:
        box: what is shown or hidden.
        inputs: what it is told of when the form has changed.
        outputs: what it then shows anew.
    """

    box: gr.Column
    inputs: list[Any]
    outputs: list[Any]

    def planned(self, *given: Any) -> list[Any]:
        """A value for each output."""


def wire_panels(
    panels: Mapping[str, Panel],
    buttons: Mapping[str, gr.Button],
    opened: gr.State,
    current: gr.State,
) -> None:
    """Let the buttons open and close, and an open panel follow the form.

    Args:
        panels: by name.
        buttons: by the name of the panel they open.
        opened: the name of the open one, or "".
        current: changes when the form does.
    """

    def toggled(was: str, name: str) -> list[Any]:
        now = "" if was == name else name
        return [now, *(gr.update(visible=other == now) for other in panels)]

    def planned(now: str, *given: Any) -> list[Any]:
        updates: list[Any] = []
        start = 0
        for name, panel in panels.items():
            own = given[start : start + len(panel.inputs)]
            start += len(panel.inputs)
            updates += panel.planned(*own) if name == now else [gr.skip()] * len(panel.outputs)
        return updates

    boxes = [panel.box for panel in panels.values()]
    for name, button in buttons.items():
        button.click(
            shown(lambda was, name=name: toggled(was, name)), [opened], [opened, *boxes], **QUIET
        )
    gr.on(
        [opened.change, current.change],
        shown(planned),
        [opened, *(one for panel in panels.values() for one in panel.inputs)],
        [one for panel in panels.values() for one in panel.outputs],
        **FOLLOWING,
    )

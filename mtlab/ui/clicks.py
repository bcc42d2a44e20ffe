"""HTML blocks whose parts can be clicked, and what was clicked.

A part is a real `<button data-click="WHAT" data-value="VALUE">`, so that the keyboard reaches it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import gradio as gr

from mtlab.errors import InputError
from mtlab.settings import ASSETS
from mtlab.ui.markup import escape

_LONGEST = 2000  # characters of a value that the page itself could have written


class Click(NamedTuple):
    """What was clicked, and on which thing."""

    what: str
    value: str


def clickable(elem_id: str, *scripts: str, **options: Any) -> gr.HTML:
    """An HTML block that triggers `select` for what opens a run, and `click` for all else that is
    clicked in it.

    Args:
        elem_id: the block's id on the page.
        scripts: files of `assets` with more behaviour.
        options: others of `gr.HTML`.
    """
    code = [(ASSETS / name).read_text(encoding="utf-8") for name in ("clicks.js", *scripts)]
    return gr.HTML(elem_id=elem_id, js_on_load="\n".join(code), **options)


def clicked(event: gr.EventData) -> Click:
    """What an event says was clicked; anybody may send one, so nothing is taken on trust.

    Raises:
        InputError: it is no click that the page could have sent.
    """
    data = event._data
    what, value = (data.get("what"), data.get("value")) if isinstance(data, dict) else (None, None)
    if not isinstance(what, str) or not isinstance(value, str) or len(value) > _LONGEST:
        raise InputError("that cannot be clicked", fix="reload the page")
    return Click(what, value)


def button(
    text: str, what: str, value: str, *, label: str = "", css_class: str = "", more: str = ""
) -> str:
    """A button as HTML.

    Args:
        text: HTML already.
        what: the word by which the handler knows it.
        value: the thing it stands for.
        label: what it says to those who do not see it; also shown when one points at it.
        css_class: its classes.
        more: further attributes, HTML already.
    """
    said = f' aria-label="{escape(label)}" title="{escape(label)}"' if label else ""
    return (
        f'<button type="button" class="{css_class}" data-click="{escape(what)}"'
        f' data-value="{escape(value)}"{said}{more}>{text}</button>'
    )

"""Handing a visitor a file that is made for them, without a file on the server."""

from __future__ import annotations

import time
from typing import Any

import gradio as gr

from mtlab.settings import ASSETS


def download_slot() -> gr.HTML:
    """A part of the page that nobody sees; give it `downloaded(...)` and the browser saves it."""
    return gr.HTML(
        value={},
        html_template='<span class="download-slot"></span>',
        js_on_load=(ASSETS / "download.js").read_text(encoding="utf-8"),
    )


def downloaded(name: str, text: str) -> dict[str, Any]:
    """A text file for `download_slot`; `at` makes two alike ones differ."""
    return {"name": name, "text": text, "at": time.monotonic_ns()}

"""Plotly's JavaScript, from the installed Python package: no chart asks a network for it."""

from __future__ import annotations

from pathlib import Path

import gradio as gr
import plotly

_FILE = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"


def plotly_head() -> str:
    """The `head` of a component that draws with Plotly; the page loads it once for all of them."""
    gr.set_static_paths([_FILE])
    return f'<script src="/gradio_api/file={_FILE.as_posix()}"></script>'

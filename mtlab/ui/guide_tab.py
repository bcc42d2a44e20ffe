"""The Guide tab: the paper in one screen, how to read the plots, limits, how to cite."""

from __future__ import annotations

import gradio as gr

from mtlab.settings import ASSETS
from mtlab.ui import guide_text as text

_PYTHON = """\
from mtlab import Lab, RunSpec

lab = Lab()
run = lab.launch(RunSpec(base="nano", size=32, train=["de-en"]))
run.wait()
print(run.scores())
"""


def build_guide_tab() -> None:
    """Lay the tab out; nothing happens in it."""
    with gr.Column(elem_id="guide"):
        script = (ASSETS / "anchors.js").read_text(encoding="utf-8")
        gr.HTML(text.contents_html(), js_on_load=script)
        _section("start", text.start_html())
        _section("paper", text.paper_html())
        _section("plots", text.plots_html())
        _section("badges", text.badges_html())
        _section("sure", text.sure_html())
        _section("limits", text.limits_html())
        _section("twins", text.twins_html())
        gr.Code(_PYTHON, label="To copy: a first run in Python", language="python", **_READ_ONLY)
        _section("cite", "<p>If the lab helps your work, cite the paper, and name this lab.</p>")
        gr.Code(text.BIBTEX, label="BibTeX", language=None, elem_id="guide-bibtex", **_READ_ONLY)


_READ_ONLY = {"interactive": False, "buttons": ["copy"]}


def _section(name: str, html: str) -> None:
    gr.HTML(text.heading_html(name) + html, elem_classes="guide-section")

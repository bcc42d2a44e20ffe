"""The one page: its tabs, and what they say to each other."""

from __future__ import annotations

from typing import Any

import gradio as gr

from mtlab.lab import Lab
from mtlab.settings import ASSETS
from mtlab.ui.addressing import keep_address
from mtlab.ui.api import add_api
from mtlab.ui.compare_tab import build_compare_tab
from mtlab.ui.events import keep_progress_where_it_shows
from mtlab.ui.guide_tab import build_guide_tab
from mtlab.ui.launch import build_launch_tab
from mtlab.ui.pacing import VisitorPace
from mtlab.ui.results_tab import build_results_tab
from mtlab.ui.runs_tab import build_runs_tab
from mtlab.ui.translate_tab import build_translate_tab
from mtlab.ui.walk import Walk
from mtlab.ui.whose import signing_in
from mtlab.ui.wires import Wires

_INTRO = (
    f'<header class="masthead">{(ASSETS / "logo.svg").read_text(encoding="utf-8")}<h1>mtlab</h1>'
    "<p>Fine-tune a language model on a few sentence pairs and see how it learns to translate, "
    "and how it fails.</p></header>"
)


def build(lab: Lab) -> gr.Blocks:
    """The page over a lab; nothing is trained or loaded by building it."""
    with gr.Blocks(title="mtlab", analytics_enabled=False, delete_cache=(3600, 86400)) as page:
        wires, pace = Wires.made(), VisitorPace(lab.settings.door.translations)
        gr.HTML(_INTRO, elem_id="intro")
        signing_in(lab)
        walk = Walk(lab, wires)
        with gr.Tabs(selected="launch", elem_id="tabs") as tabs:
            with gr.Tab("Launch", id="launch") as launch_tab:
                demonstrate = build_launch_tab(lab, page, wires)
            with gr.Tab("Runs", id="runs") as runs_tab:
                runs = build_runs_tab(lab, wires)
            with gr.Tab("Results", id="results") as results_tab:
                build_results_tab(lab, results_tab, wires)
            with gr.Tab("Compare", id="compare") as compare_tab:
                build_compare_tab(lab, compare_tab, wires)
            with gr.Tab("Translate", id="translate") as translate_tab:
                build_translate_tab(lab, translate_tab, pace)
            with gr.Tab("Guide", id="guide") as guide_tab:
                build_guide_tab()

        quiet: dict[str, Any] = {"api_visibility": "private"}
        answering = {"runs": wires.open_run, "launch": wires.clone, "compare": wires.compare}
        for name, wire in answering.items():
            wire.change(lambda name=name: gr.Tabs(selected=name), None, [tabs], **quiet)
        parts = {
            "launch": launch_tab, "runs": runs_tab, "results": results_tab,
            "compare": compare_tab, "translate": translate_tab, "guide": guide_tab,
        }  # fmt: skip
        walk.wire(page, demonstrate, tabs, parts)
        add_api(lab, pace)
        keep_address(lab, page, runs.opened, tabs, parts)
        keep_progress_where_it_shows(page)
        page.queue(max_size=200)
    return page

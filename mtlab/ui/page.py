"""The one page: four tabs, the address that names the run and the tab, and the server."""

from __future__ import annotations

import os
from typing import Any

import gradio as gr

from mtlab.lab import Lab
from mtlab.settings import ASSETS
from mtlab.ui.choosing import run_choices
from mtlab.ui.compare_tab import build_compare_tab
from mtlab.ui.errors import shown
from mtlab.ui.form import FIELDS, keep_upload, spec_from_form
from mtlab.ui.launch_tab import build_launch_tab
from mtlab.ui.runs_tab import build_runs_tab
from mtlab.ui.translate_tab import build_translate_tab

TABS = ("launch", "runs", "compare", "translate")
_INTRO = (
    "# mtlab\n"
    "Fine-tune a language model on a few sentence pairs and see how it learns to translate, "
    "and how it fails."
)
# Write what is looked at into the address, so that a reload comes back to it. Only JavaScript can.
_WRITE_RUN = """
(run) => {
  const address = new URL(window.location);
  run ? address.searchParams.set("run", run) : address.searchParams.delete("run");
  window.history.replaceState(null, "", address);
}
"""
# The first tab says it is selected before the page has read the address it came by.
_WRITE_TAB = """
() => {
  if (!window.mtlabArrived) return;
  const address = new URL(window.location);
  address.searchParams.set("tab", "TAB");
  window.history.replaceState(null, "", address);
}
"""


def build(lab: Lab) -> gr.Blocks:
    """The page over a lab; nothing is trained or loaded by building it."""
    with gr.Blocks(title="mtlab", analytics_enabled=False, delete_cache=(3600, 86400)) as page:
        gr.Markdown(_INTRO, elem_id="intro")
        with gr.Tabs(selected="launch", elem_id="tabs") as tabs:
            with gr.Tab("Launch", id="launch") as launch_tab:
                launch = build_launch_tab(lab, page)
            with gr.Tab("Runs", id="runs") as runs_tab:
                runs = build_runs_tab(lab)
            with gr.Tab("Compare", id="compare") as compare_tab:
                build_compare_tab(lab, compare_tab)
            with gr.Tab("Translate", id="translate") as translate_tab:
                build_translate_tab(lab, translate_tab)

        def start(*values: Any) -> tuple[Any, Any]:
            filled = dict(zip(FIELDS, values, strict=True))
            run = lab.launch(spec_from_form(keep_upload(filled, lab.settings), lab.settings))
            return gr.Dropdown(choices=run_choices(lab), value=run.id), gr.Tabs(selected="runs")

        def arrive(request: gr.Request) -> tuple[Any, Any]:
            choices = run_choices(lab)
            ids = [run_id for _, run_id in choices]
            asked = request.query_params.get("run")
            tab = request.query_params.get("tab")
            value = asked if asked in ids else (ids[0] if ids else None)
            opened = tab if tab in TABS else ("runs" if asked in ids else None)
            # Unasked, the tabs are left alone: the visitor may have chosen one while this ran.
            tabs_update = gr.Tabs(selected=opened) if opened else gr.skip()
            return gr.Dropdown(choices=choices, value=value), tabs_update

        quiet: dict[str, Any] = {"api_visibility": "private"}
        launch.button.click(shown(start), list(launch.form), [runs.choice, tabs], **quiet)
        arrival = page.load(shown(arrive), None, [runs.choice, tabs], **quiet)
        arrival.then(None, None, None, js="() => { window.mtlabArrived = true; }", **quiet)
        runs.choice.change(None, [runs.choice], None, js=_WRITE_RUN, **quiet)
        shown_tabs = zip(TABS, (launch_tab, runs_tab, compare_tab, translate_tab), strict=True)
        for name, tab in shown_tabs:
            tab.select(None, None, None, js=_WRITE_TAB.replace("TAB", name), **quiet)
        page.queue(max_size=200)
    return page


def serve(lab: Lab | None = None, **options: Any) -> Any:
    """Build the page and serve it on `HOST`:`PORT` (default 127.0.0.1:7860).

    On Spaces the host and port that it sets are used instead. The runs go on when this ends.
    """
    lab = lab or Lab()
    lab.supervise()
    on_spaces = "SPACE_ID" in os.environ
    host = os.environ.get("HOST") or ("0.0.0.0" if on_spaces else "127.0.0.1")
    port = int(os.environ.get("PORT") or os.environ.get("GRADIO_SERVER_PORT") or 7860)
    settings: dict[str, Any] = {
        "server_name": host,
        "server_port": port,
        "theme": gr.themes.Base(
            primary_hue="blue",
            neutral_hue="slate",
            font=["system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif"],
            font_mono=["ui-monospace", "SFMono-Regular", "Menlo", "monospace"],
        ),
        "css_paths": [ASSETS / "app.css"],
        "favicon_path": ASSETS / "logo.svg",
        "max_file_size": f"{lab.settings.max_upload_mb}mb",
        "footer_links": ["gradio", "settings"],
        "enable_monitoring": False,
        "strict_cors": True,
        "show_error": True,
    }
    return build(lab).launch(**{**settings, **options})

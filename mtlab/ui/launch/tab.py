"""The Launch tab: the form, and beside it what it will do before anything runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr

from mtlab.experiments import grid_of
from mtlab.lab import Lab
from mtlab.settings import ASSETS
from mtlab.ui.errors import shown
from mtlab.ui.events import FOLLOWING, QUIET
from mtlab.ui.form import FIELDS, problems_of, seeds_from_form
from mtlab.ui.launch.advanced import ADVANCED
from mtlab.ui.launch.cloning import cloned, filled
from mtlab.ui.launch.greeting import greeting
from mtlab.ui.launch.keeping import keep_form
from mtlab.ui.launch.layout import LaunchForm, launch_form
from mtlab.ui.launch.outlook import outlook
from mtlab.ui.launch.panels import Panel, wire_panels
from mtlab.ui.launch.paper_panel import PaperPanel
from mtlab.ui.launch.preview import facts_html, pairs_html, problems_html
from mtlab.ui.launch.size import stops_for
from mtlab.ui.launch.sweep_panel import SweepPanel
from mtlab.ui.uploads import keep_upload
from mtlab.ui.wires import Asked, Wires, asked

_SHOW_WHERE = """
() => setTimeout(() => {
  const field = document.querySelector("#launch-form [aria-invalid]");
  field?.closest(".block")?.scrollIntoView({ block: "center", behavior: "smooth" });
  field?.focus({ preventScroll: true });
}, 300)
"""


def build_launch_tab(lab: Lab, page: gr.Blocks, wires: Wires) -> gr.Button:
    """Lay the tab out and wire what happens inside it; gives the demonstration's button."""
    demonstrate = greeting(lab, page, wires)
    with gr.Row(equal_height=False, elem_id="launch-row"):
        with gr.Column(scale=5, min_width=320, elem_id="launch-form"):
            form = launch_form(lab)
            notes = gr.HTML(
                {},
                html_template="",
                js_on_load=(ASSETS / "field_notes.js").read_text(encoding="utf-8"),
                elem_id="field-notes",
            )
        with gr.Column(scale=6, min_width=320, elem_id="launch-outlook"):
            with gr.Row(elem_id="launch-actions"):
                launch = gr.Button("Launch", variant="primary", elem_id="launch", min_width=120)
                to_sweep = gr.Button("Launch as a sweep", elem_id="to-sweep", min_width=120)
                to_paper = gr.Button("Reproduce the paper", elem_id="to-paper", min_width=120)
            sweep = SweepPanel(lab, form, wires)
            paper = PaperPanel(lab, form, wires)
            problem = gr.HTML(elem_id="launch-problem")
            facts = gr.HTML(elem_id="launch-facts")
            pairs = gr.HTML(elem_id="launch-pairs")
            with gr.Tabs(elem_id="launch-twins"):
                with gr.Tab("As a command"):
                    command = _code("The same run as a command", "shell")
                with gr.Tab("As YAML"):
                    yaml = _code("The same run as YAML", "yaml")
    panels: dict[str, Panel] = {"sweep": sweep, "paper": paper}
    opened = gr.State("")  # the panel that is open
    current = gr.State("")  # what the form would run, kept up to date for an open panel

    def preview(opened: str, *values: Any) -> tuple[Any, ...]:
        seen = outlook(lab, dict(zip(FIELDS, values, strict=True)))
        runs = len(seen.seeds)
        return (
            seen.notes(),
            problems_html(seen),
            facts_html(seen),
            pairs_html(seen),
            seen.command,
            seen.yaml,
            gr.Button("Launch" if runs < 2 else f"Launch {runs} runs"),
            stops_for(seen.preview) if seen.preview else gr.skip(),
            seen.yaml if opened else gr.skip(),
        )

    gr.on(
        [page.load, *(component.change for component in form.inputs)],
        shown(preview),
        [opened, *form.inputs],
        [notes, problem, facts, pairs, command, yaml, launch, form.slider, current],
        **FOLLOWING,
    )
    wire_panels(panels, {"sweep": to_sweep, "paper": to_paper}, opened, current)
    _wire_launching(lab, form, launch, wires)
    _wire_cloning(lab, form, wires)
    keep_form(page, form, lab.settings)
    return demonstrate


def _code(label: str, language: Any) -> gr.Code:
    return gr.Code(
        label=label, language=language, interactive=False, buttons=["copy"], wrap_lines=True,
        lines=1, max_lines=14,
    )  # fmt: skip


def launched(lab: Lab, values: Mapping[str, Any]) -> str:
    """Launch what the form asks for: a run, or one for each of several seeds.

    Returns:
        The id of the run, or of the first of them.

    Raises:
        InputError: the first thing that is wrong with the form.
        NotAvailable: this machine cannot run it now.
    """
    values = keep_upload(values, lab.settings)
    spec, problems = problems_of(values, lab.settings)
    if spec is None:
        raise next(iter(problems.values()))
    seeds = seeds_from_form(values)
    if len(seeds) == 1:
        return lab.launch(spec).id
    return lab.enqueue(grid_of(spec, {}, seeds))[0].id


def _wire_launching(lab: Lab, form: LaunchForm, button: gr.Button, wires: Wires) -> None:
    def start(*given: Any) -> Asked:
        return asked(launched(lab, dict(zip(FIELDS, given, strict=True))))

    def open_where(*given: Any) -> Any:
        wrong = outlook(lab, dict(zip(FIELDS, given, strict=True))).problems
        return gr.Accordion(open=True) if set(wrong) & set(ADVANCED) else gr.skip()

    click = button.click(shown(start), form.inputs, [wires.open_run], api_visibility="private")
    refused = click.failure(shown(open_where), form.inputs, [form.advanced], **QUIET)
    refused.then(None, None, None, js=_SHOW_WHERE, **QUIET)


def _wire_cloning(lab: Lab, form: LaunchForm, wires: Wires) -> None:
    def fill(question: Asked | None, *given: Any) -> list[Any]:
        values = cloned(question.value if question else None, lab.settings)
        return filled(values, dict(zip(FIELDS, given, strict=True)), form, lab.settings)

    wires.clone.change(
        shown(fill),
        [wires.clone, *form.inputs],
        [*form.inputs, form.advanced, *form.parts],
        **QUIET,
    )

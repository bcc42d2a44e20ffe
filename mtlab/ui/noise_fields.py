"""The form's fields about noise: the kind, and the options that the chosen kind has."""

from __future__ import annotations

from typing import Any

import gradio as gr

from mtlab.lab import Lab
from mtlab.languages import LANGUAGES
from mtlab.noise_kinds import NOISE_KINDS
from mtlab.ui.choosing import CHOOSE_ONLY, label_of
from mtlab.ui.errors import shown
from mtlab.ui.form import NOISE_FIELDS

_HUB = (
    "facebook/nllb-200-distilled-600M",
    "facebook/m2m100_418M",
    "Helsinki-NLP/opus-mt-{source}-{target}",
)


def noise_fields(lab: Lab, form: dict[str, Any]) -> None:
    """Add the fields to the form and show those that matter to the kind."""
    form["noise_kind"] = gr.Dropdown(
        [("None", "none"), *((_title(name), name) for name in NOISE_KINDS)],
        value="none",
        label="Noise",
        elem_id="noise-kind",
    )
    form["translator"] = gr.Dropdown(
        _translators(lab),
        value="latest",
        label="Translator",
        info="A run, or type base:NAME or a translation model of the hub (owner/name).",
        visible=False,
        **CHOOSE_ONLY,
    )
    form["dictionary"] = gr.File(
        label="Dictionary in the MUSE format, such as de-en.txt (none: induced from the corpus)",
        file_types=[".txt", ".tsv", ".dict"],
        height=110,
        visible=False,
    )
    form["terms"] = gr.File(
        label="Terms, one a line (none: medicine, law and accounting)",
        file_types=[".txt", ".tsv"],
        height=110,
        visible=False,
    )
    form["language"] = gr.Dropdown(
        [("The other side's, untranslated", ""), *((one.name, one.code) for one in _languages())],
        value="",
        label="Wrong language",
        info="A third language must be in the corpus.",
        visible=False,
    )
    with gr.Row():
        form["noise_side"] = gr.Radio(
            [("Source", "source"), ("Target", "target"), ("Both", "both")],
            value="target",
            label="Noise side",
            min_width=200,
        )
        form["noise_ratio"] = gr.Slider(
            0, 1, 1, step=0.05, label="Noise ratio (share of pairs)", min_width=200
        )
    names = [name for fields in NOISE_FIELDS.values() for name in fields]

    def show(kind: str) -> list[Any]:
        wanted = NOISE_FIELDS.get(kind, ())
        updates = {name: gr.update(visible=name in wanted) for name in names}
        if "translator" in wanted:
            updates["translator"] = gr.update(visible=True, choices=_translators(lab))
        return [updates[name] for name in names]

    form["noise_kind"].change(
        shown(show),
        [form["noise_kind"]],
        [form[name] for name in names],
        api_visibility="private",
    )


def _title(name: str) -> str:
    return f"{name.capitalize()}: {NOISE_KINDS[name]}"


def _languages() -> list[Any]:
    return sorted(LANGUAGES.values(), key=lambda one: one.name)


def _translators(lab: Lab) -> list[tuple[str, str]]:
    kept = {"finished", "stopped"}
    runs = [
        (label_of(run), run.id)
        for run in lab.runs()
        if run.status().state in kept and run.spec.training.trains
    ]
    hub = [(name, name) for name in _HUB]
    return [("The newest finished run", "latest"), *runs, *hub]

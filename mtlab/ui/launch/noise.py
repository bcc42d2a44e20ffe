"""The form's fields about noise: the kind, and what the chosen kind needs."""

from __future__ import annotations

from typing import Any

import gradio as gr

from mtlab.fields import default_in_words
from mtlab.lab import Lab
from mtlab.languages import LANGUAGES, Language
from mtlab.methods import trains
from mtlab.noise_kinds import NOISE_KINDS
from mtlab.ui.choosing import CHOOSE_ONLY, label_of
from mtlab.ui.form import BLANK, NOISE_FIELDS, PATHS
from mtlab.ui.launch.fields import LABELS, element_id

_HUB = (
    "facebook/nllb-200-distilled-600M",
    "facebook/m2m100_418M",
    "Helsinki-NLP/opus-mt-{source}-{target}",
)
_OPTIONS = tuple(name for fields in NOISE_FIELDS.values() for name in fields)
SIDES = [("Source", "source"), ("Target", "target"), ("Both", "both")]


class NoiseFields:
    """The kind, the side, the ratio and the options of the kinds; adds them to the form."""

    def __init__(self, lab: Lab, form: dict[str, Any]) -> None:
        self._lab = lab
        self._form = form
        form["noise_kind"] = gr.Dropdown(
            [("None", "none"), *((title_of(name), name) for name in NOISE_KINDS)],
            value=BLANK["noise_kind"],
            label=LABELS["noise_kind"],
            elem_id="noise-kind",
            min_width=160,
        )

    def details(self) -> None:
        """Lay out what stands below the kind; the caller chooses where."""
        form = self._form
        with gr.Row(visible=False) as self._row:
            form["noise_side"] = gr.Radio(
                SIDES,
                value=BLANK["noise_side"],
                label=LABELS["noise_side"],
                elem_id="noise-side",
                elem_classes="chips",
                min_width=200,
            )
            form["noise_ratio"] = gr.Slider(
                0,
                1,
                BLANK["noise_ratio"],
                step=0.05,
                label=LABELS["noise_ratio"],
                elem_id="noise-ratio",
                min_width=200,
            )
        form["translator"] = gr.Dropdown(
            _translators(self._lab),
            value=BLANK["translator"],
            label=LABELS["translator"],
            info="A run, or type base:NAME or a translation model of the hub (owner/name).",
            elem_id="translator",
            visible=False,
            **CHOOSE_ONLY,
        )
        _file_fields(form, "dictionary")
        _file_fields(form, "terms")
        form["language"] = gr.Dropdown(
            [
                ("The other side's, untranslated", ""),
                *((one.name, one.code) for one in _languages()),
            ],
            value=BLANK["language"],
            label=LABELS["language"],
            info="A third language must be in the corpus.",
            elem_id="language",
            visible=False,
        )

    @property
    def parts(self) -> list[Any]:
        """What is shown or hidden, in the order of `shown_for`."""
        return [self._form["noise_kind"], self._row, *(self._form[name] for name in _OPTIONS)]

    def shown_for(self, method: str, kind: str) -> list[Any]:
        """The kind where something is trained; below it, what the chosen kind needs."""
        trained = trains(method)
        wanted = NOISE_FIELDS.get(kind, ()) if trained else ()
        options = {name: gr.update(visible=name in wanted) for name in _OPTIONS}
        if "translator" in wanted:
            options["translator"] = gr.update(visible=True, choices=_translators(self._lab))
        details = gr.update(visible=trained and kind in NOISE_KINDS)
        return [gr.update(visible=trained), details, *options.values()]


def title_of(name: str) -> str:
    """A kind of noise in a line."""
    return f"{name.capitalize()}: {NOISE_KINDS[name]}"


def _file_fields(form: dict[str, Any], name: str) -> None:
    """A file from the browser, or the path of one that is on this machine."""
    path = f"{name}_path"
    with gr.Row():
        form[name] = gr.File(
            label=LABELS[name],
            file_types=[".txt", ".tsv", ".dict"],
            height=80,
            visible=False,
            elem_id=element_id(name),
            min_width=200,
        )
        form[path] = gr.Textbox(
            BLANK[path],
            label=LABELS[path],
            placeholder=default_in_words(PATHS[path]),
            max_lines=1,
            visible=False,
            elem_id=element_id(path),
            min_width=200,
        )


def _languages() -> list[Language]:
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

"""The form as it is laid out: what every run needs, and the rest under Advanced."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr

from mtlab.lab import Lab
from mtlab.methods import NONE, trains
from mtlab.presets import BASES
from mtlab.ui.errors import shown
from mtlab.ui.events import FOLLOWING
from mtlab.ui.form import BLANK, FIELDS
from mtlab.ui.launch.advanced import advanced_fields
from mtlab.ui.launch.directions import DirectionsField, wire_corpus
from mtlab.ui.launch.fields import LABELS
from mtlab.ui.launch.noise import NoiseFields
from mtlab.ui.launch.size import SizeField, size_for

METHODS = [
    ("Best", "default"),
    ("LoRA", "lora"),
    ("Full", "full"),
    ("Few-shot", "few-shot"),
    ("As it is", "none"),
]
"""The methods by short names."""


@dataclass(frozen=True)
class LaunchForm:
    """The form's components.

    Attributes:
        fields: by name, those of `mtlab.ui.form.FIELDS`.
        slider: of the sizes.
        advanced: the accordion.
        parts: what is shown or hidden by method and kind of noise.
        shown_for: given these two, an update for each of the parts.
    """

    fields: dict[str, Any]
    slider: gr.HTML
    advanced: gr.Accordion
    parts: list[Any]
    shown_for: Callable[[str, str], list[Any]]

    @property
    def inputs(self) -> list[Any]:
        """The components in the order of `FIELDS`."""
        return [self.fields[name] for name in FIELDS]


def launch_form(lab: Lab) -> LaunchForm:
    """Lay the form out, and wire what happens inside it."""
    form: dict[str, Any] = {}
    with gr.Row():
        _base_and_method(form)
    size = SizeField(form)
    train = DirectionsField("train", form, lab.settings)
    with gr.Row():
        noise = NoiseFields(lab, form)
        form["seed"] = gr.Textbox(
            BLANK["seed"],
            label=LABELS["seed"],
            info="One or several: 0, 1, 2, or: 3 seeds.",
            elem_id="seed",
            max_lines=1,
            min_width=160,
        )
    noise.details()
    test = DirectionsField("test", form, lab.settings)
    advanced, of_training = advanced_fields(form)
    of_training += [train.box, form["balance"], form["reverse"]]

    def shown_for(method: str, kind: str) -> list[Any]:
        """What a method or kind has no use for is hidden, and does not count."""
        trained = [gr.update(visible=trains(method))] * len(of_training)
        return [*trained, gr.update(visible=method != NONE), *noise.shown_for(method, kind)]

    parts = [*of_training, size.box, *noise.parts]
    gr.on(
        [form["method"].change, form["noise_kind"].change],
        shown(shown_for), [form["method"], form["noise_kind"]], parts, **FOLLOWING,
    )  # fmt: skip
    memory = gr.State({})
    form["method"].input(
        shown(size_for), [form["method"], form["size"], memory], [form["size"], memory], **FOLLOWING
    )
    for directions in (train, test):
        directions.wire(form)
    wire_corpus(form, lab.settings)
    return LaunchForm(form, size.slider, advanced, parts, shown_for)


def _base_and_method(form: dict[str, Any]) -> None:
    form["base"] = gr.Dropdown(
        [(base.title, name) for name, base in BASES.items()],
        value=BLANK["base"],
        label=LABELS["base"],
        info="Or a hub name, a folder, run:ID.",
        elem_id="base",
        allow_custom_value=True,
        scale=4,
        min_width=180,
    )
    form["method"] = gr.Radio(
        METHODS,
        value=BLANK["method"],
        label=LABELS["method"],
        info="Few-shot and as it is train nothing.",
        elem_id="method",
        elem_classes="chips",
        scale=6,
        min_width=260,
    )

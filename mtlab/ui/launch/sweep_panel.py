"""Launch as a sweep: which knobs become axes, what that makes, and how long it takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from mtlab.errors import MtlabError
from mtlab.experiments import Experiment
from mtlab.lab import Lab
from mtlab.noise_kinds import NOISE_KINDS
from mtlab.plans import plan_of
from mtlab.presets import BASES
from mtlab.ui.errors import shown
from mtlab.ui.events import FOLLOWING, QUIET
from mtlab.ui.form import FIELDS, seeds_from_form, spec_from_form
from mtlab.ui.launch.fields import element_id
from mtlab.ui.launch.layout import METHODS, LaunchForm
from mtlab.ui.launch.noise import SIDES
from mtlab.ui.launch.outlook import SWEEP_FILE
from mtlab.ui.launch.sweep_form import EACH, FIRST, KNOBS, TOGETHER, experiment_of
from mtlab.ui.markup import escape, notice
from mtlab.ui.uploads import keep_upload
from mtlab.ui.wires import Asked, Wires, asked


class SweepPanel:
    """The panel; hidden until it is asked for.

    Args:
        lab: where the runs are made.
        form: the form whose run is the middle of the sweep.
        wires: the page's.
    """

    def __init__(self, lab: Lab, form: LaunchForm, wires: Wires) -> None:
        self._lab = lab
        with gr.Column(visible=False, elem_id="sweep-panel") as self.box:
            gr.HTML(
                "<h4>What varies</h4><p class='quiet'>Every combination is run; what is not "
                "chosen here stays as it is in the form.</p>"
            )
            self._knobs = gr.CheckboxGroup(
                [(title, knob) for knob, title in KNOBS.items()],
                value=["size"],
                label="Axes",
                show_label=False,
                elem_id="sweep-knobs",
                elem_classes="chips",
            )
            self._values = {knob: _FIELDS[knob](knob) for knob in KNOBS}
            self._name = gr.Textbox(
                label="Name of the sweep",
                placeholder="made from what varies",
                max_lines=1,
                max_length=120,
                elem_id="sweep-name",
            )
            self._plan = gr.HTML(elem_id="sweep-plan")
            self._launch = gr.Button("Launch the sweep", variant="primary", elem_id="sweep-launch")
            with gr.Accordion("The same sweep as a command and as YAML", open=False):
                self._command = gr.Code(
                    f"mtlab sweep {SWEEP_FILE}",
                    label=f"Command, with the YAML below saved as {SWEEP_FILE}",
                    language="shell",
                    interactive=False,
                    buttons=["copy"],
                    lines=1,
                )
                self._yaml = gr.Code(
                    label=SWEEP_FILE, language="yaml", interactive=False, buttons=["copy"], lines=3
                )
        self.inputs = [*form.inputs, self._knobs, self._name, *self._values.values()]
        self.outputs = [self._plan, self._launch, self._yaml]
        self._knobs.change(
            lambda knobs: [gr.update(visible=knob in knobs) for knob in KNOBS],
            [self._knobs],
            list(self._values.values()),
            **QUIET,
        )
        gr.on(
            [one.change for one in (self._knobs, self._name, *self._values.values())],
            shown(self.planned),
            self.inputs,
            self.outputs,
            **FOLLOWING,
        )
        self._launch.click(
            shown(self._start), self.inputs, [wires.open_run], api_visibility="private"
        )

    def planned(self, *given: Any) -> list[Any]:
        """What the sweep makes: a sentence, the button's label, the sweep as YAML."""
        try:
            experiment = self._experiment(_Given.of(given))
            plan = plan_of(self._lab.sweep(experiment))
        except MtlabError as error:
            return [notice(str(error), css_class="problem"), gr.Button("Launch the sweep"), ""]
        forecast = f": {plan.forecast}" if plan.forecast else ""
        said = f"<p class='plan'><b>{escape(plan.counted)}</b>{escape(forecast)}.</p>"
        left = "1 run" if plan.left == 1 else f"{plan.left:,} runs"
        label = f"Launch {left}" if plan.left else "Show the runs"
        return [said, gr.Button(label), experiment.to_yaml()]

    def _start(self, *given: Any) -> Asked:
        asked_for = _Given.of(given)
        kept = keep_upload(asked_for.values, self._lab.settings)
        runs = self._lab.enqueue(self._experiment(replace(asked_for, values=kept)))
        return asked(runs[0].id)

    def _experiment(self, given: _Given) -> Experiment:
        spec = spec_from_form(given.values, self._lab.settings)
        seeds = seeds_from_form(given.values)
        return experiment_of(spec, seeds, given.values, given.knobs, given.chosen, given.name)


@dataclass(frozen=True)
class _Given:
    """What a handler of the panel is given, by name."""

    values: Mapping[str, Any]
    knobs: list[str]
    name: str
    chosen: Mapping[str, Any]

    @classmethod
    def of(cls, given: Sequence[Any]) -> _Given:
        form, (knobs, name, *chosen) = given[: len(FIELDS)], given[len(FIELDS) :]
        values = dict(zip(FIELDS, form, strict=True))
        return cls(values, knobs, name or "", dict(zip(KNOBS, chosen, strict=True)))


def _text(knob: str) -> gr.Textbox:
    return gr.Textbox(FIRST[knob], max_lines=1, **_shared(knob))


def _several(knob: str) -> gr.CheckboxGroup:
    return gr.CheckboxGroup(
        _CHOICES[knob], value=FIRST[knob], elem_classes="chips", **_shared(knob)
    )


def _bases(knob: str) -> gr.Dropdown:
    choices = [(base.title, name) for name, base in BASES.items()]
    return gr.Dropdown(
        choices, value=FIRST[knob], multiselect=True, allow_custom_value=True, **_shared(knob)
    )


def _shared(knob: str) -> dict[str, Any]:
    return {
        "label": _LABELS[knob],
        "elem_id": f"sweep-{element_id(knob)}",
        "visible": knob == "size",
    }


_LABELS = {
    "size": "Sizes",
    "seed": "Which seeds",
    "noise_kind": "Kinds of noise",
    "noise_side": "Sides of the noise",
    "noise_ratio": "Ratios of the noise",
    "train": "Which of the chosen directions",
    "method": "Methods",
    "base": "Base models",
    "reverse": "Shares of reversed pairs",
}
_CHOICES: dict[str, list[tuple[str, str]]] = {
    "noise_kind": [("None", "none"), *((name.capitalize(), name) for name in NOISE_KINDS)],
    "noise_side": SIDES,
    "train": [("All together", TOGETHER), ("Each alone", EACH)],
    "method": [(title, method) for title, method in METHODS if method != "default"],
}
_FIELDS: dict[str, Callable[[str], Any]] = {
    **dict.fromkeys(("size", "seed", "noise_ratio", "reverse"), _text),
    **dict.fromkeys(_CHOICES, _several),
    "base": _bases,
}

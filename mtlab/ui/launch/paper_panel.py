"""Reproduce the paper: its four experiments, and the questions that its authors ask next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr

from mtlab.errors import InputError, MtlabError
from mtlab.experiments import PRESETS, Choices, Preset, preset, sweep_command
from mtlab.experiments.typed import seeds_in_words
from mtlab.lab import Lab
from mtlab.plans import Plan, plan_of
from mtlab.ui.clicks import button, clickable, clicked
from mtlab.ui.errors import shown
from mtlab.ui.form import FIELDS, seeds_from_form
from mtlab.ui.launch.layout import LaunchForm
from mtlab.ui.markup import escape, notice
from mtlab.ui.uploads import keep_upload
from mtlab.ui.wires import Wires, asked

MANY = 20
"""More runs than these are started after a question."""


class PaperPanel:
    """The panel; hidden until it is asked for.

    Args:
        lab: where the runs are made.
        form: whose base, corpus and seeds count.
        wires: the page's.
    """

    def __init__(self, lab: Lab, form: LaunchForm, wires: Wires) -> None:
        self._lab = lab
        with gr.Column(visible=False, elem_id="paper-panel") as self.box:
            self._cards = clickable("paper-cards", apply_default_css=False)
        self.inputs = form.inputs
        self.outputs = [self._cards]
        self._cards.click(
            shown(self._clicked),
            self.inputs,
            [self._cards, wires.open_run],
            api_visibility="private",
        )

    def planned(self, *given: Any) -> list[Any]:
        """The experiments, each with what it makes."""
        return [self._html(dict(zip(FIELDS, given, strict=True)))]

    def _clicked(self, event: gr.EventData, *given: Any) -> tuple[Any, Any]:
        values = dict(zip(FIELDS, given, strict=True))
        what, name = clicked(event)
        if name not in PRESETS:
            raise InputError("there is no such experiment", field="sweep", fix="reload the page")
        if what == "leave":
            return self._html(values), gr.skip()
        choices = _choices(keep_upload(values, self._lab.settings), PRESETS[name])
        experiment = preset(name, choices, self._lab.settings)
        if what == "ask" and plan_of(self._lab.sweep(experiment)).left > MANY:
            return self._html(values, asking=name), gr.skip()
        runs = self._lab.enqueue(experiment)
        return self._html(values), asked(runs[0].id)

    def _html(self, values: Mapping[str, Any], asking: str = "") -> str:
        try:
            seeds = seeds_from_form(values)
        except InputError as error:
            return notice(str(error), css_class="problem")
        offers = [self._offer(one, values) for one in PRESETS.values()]
        cards = {"paper": "", "next": ""}
        for offer in offers:
            cards[offer.preset.name.partition("/")[0]] += offer.html(asking)
        more = "" if len(seeds) > 1 else " Choose 3 seeds there for intervals over seeds."
        return (
            f"<p class='quiet'>With the base, the corpus and the seeds of the form: "
            f"{escape(seeds_in_words(seeds))}.{more}</p>"
            f'<div class="cards offers">{cards["paper"]}</div>'
            f"<h4>The next questions</h4>"
            f'<div class="offers list">{cards["next"]}</div>'
        )

    def _offer(self, one: Preset, values: Mapping[str, Any]) -> _Offer:
        choices = _choices(values, one)
        try:
            sweep = self._lab.sweep(preset(one.name, choices, self._lab.settings))
            return _Offer(one, choices, plan_of(sweep))
        except MtlabError as error:
            return _Offer(one, choices, problem=str(error))


@dataclass(frozen=True)
class _Offer:
    """An experiment that can be started."""

    preset: Preset
    choices: Choices
    plan: Plan | None = None
    problem: str = ""

    def html(self, asking: str) -> str:
        """The card; `asking` is the name of the experiment that is asked about."""
        name = self.preset.name
        if self.plan is None:
            end = notice(self.problem, css_class="problem")
        else:
            end = _count(self.plan) + self._command()
            asked_about = asking == name
            end += _question(name, self.plan) if asked_about else _start(name, self.preset.title)
        return (
            f'<article class="card offer"><h4>{escape(self.preset.title)}</h4>'
            f"<code>{escape(name)}</code><p>Shows {escape(self.preset.shows)}.</p>{end}"
            "</article>"
        )

    def _command(self) -> str:
        command = escape(sweep_command(self.preset.name, self.choices))
        return f"<details><summary>As a command</summary><code>{command}</code></details>"


def _choices(values: Mapping[str, Any], one: Preset) -> Choices:
    return Choices(
        base=(values["base"] or "").strip() or None if one.takes_base else None,
        corpus=values["upload"] or values["corpus"],
        seeds=seeds_from_form(values),
    )


def _count(plan: Plan) -> str:
    forecast = f": {plan.forecast}" if plan.forecast else ""
    return f'<p class="quiet">{escape(plan.counted)}{escape(forecast)}.</p>'


def _start(name: str, title: str) -> str:
    return button("Start", "ask", name, label=f"Start: {title}", css_class="small-button")


def _question(name: str, plan: Plan) -> str:
    yes = button(f"Yes, start {plan.left:,} runs", "start", name, css_class="small-button primary")
    no = button("No", "leave", name, css_class="small-button")
    return (
        '<p role="alert">They run one after the other. Start them all?</p>'
        f'<div class="answers">{yes}{no}</div>'
    )

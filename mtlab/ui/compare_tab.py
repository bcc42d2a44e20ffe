"""The Compare tab: up to four systems side by side, their scores and their segments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import gradio as gr

from mtlab.lab import Lab
from mtlab.settings import ASSETS
from mtlab.ui.choosing import CHOOSE_ONLY
from mtlab.ui.compare_answers import (
    after_click,
    choose,
    file_of,
    first_choice,
    listing,
    parts,
    significance,
)
from mtlab.ui.compare_desk import Desk, Latest
from mtlab.ui.compare_form import (
    ANY_LENGTH,
    FAILURE_CHOICES,
    FIELDS,
    LONGEST_TEXT,
    MOST_SYSTEMS,
    REFERENCE,
    Choices,
    Form,
    field_choices,
    field_values,
)
from mtlab.ui.compare_segments import segments_html
from mtlab.ui.errors import shown
from mtlab.ui.markup import notice
from mtlab.ui.text_download import download_slot, downloaded
from mtlab.ui.wires import Asked, Wires, asked

_CLICKS = (ASSETS / "compare.js").read_text(encoding="utf-8")
_SEEDS: Choices = [("the runs chosen, one seed each", "chosen"), ("every finished seed", "every")]
_CLOSED = (None, "")


def build_compare_tab(lab: Lab, tab: gr.Tab, wires: Wires) -> None:
    """Lay the tab out and wire what happens inside it."""
    desk = Desk(lab)
    with gr.Row():
        systems = gr.Dropdown(
            [],
            multiselect=True,
            max_choices=MOST_SYSTEMS,
            label="Systems",
            elem_id="compare-systems",
            scale=3,
            min_width=340,
            info=f"Up to {MOST_SYSTEMS}, untuned bases among them; the others are held against A, "
            "the first one.",
            **CHOOSE_ONLY,
        )
        direction = gr.Dropdown(
            [], label="Direction", elem_id="compare-direction", min_width=120, **CHOOSE_ONLY
        )
    clickable: dict[str, Any] = {"js_on_load": _CLICKS, "apply_default_css": False}
    scores = gr.HTML(elem_id="compare-scores", **clickable)
    with gr.Column(visible=False) as below:
        with gr.Accordion("Is the difference significant?", open=True):
            seeds = gr.Radio(_SEEDS, value="chosen", label="Significance over", visible=False)
            significant = gr.HTML(elem_id="compare-significance")
        with gr.Accordion("Where does the difference come from?", open=False):
            divided = gr.HTML(elem_id="compare-parts")
        fields = _fields()
        segments = gr.HTML(elem_id="compare-segments", **clickable)
        with gr.Row():
            kinds = (("csv", "CSV"), ("jsonl", "JSON lines"))
            files = {
                kind: gr.Button(f"Download as {name}", size="sm", scale=0, min_width=180)
                for kind, name in kinds
            }
    slot = download_slot()
    latest = gr.State(Latest())
    look = gr.State(_CLOSED)  # the number of the segment that is open, the family it is shown in
    controls = list(fields.values())
    everything = [
        systems, look, direction, below, scores, seeds, significant, divided, segments, *controls,
    ]  # fmt: skip

    def present(
        at: Latest, ids: Sequence[str], code: str | None, values: Sequence[Any]
    ) -> dict[Any, Any]:
        """All that a choice of systems changes; what takes longer follows by itself."""
        found = choose(desk, ids, code)
        at.chosen, at.showing = tuple(ids), found.showing
        updates: dict[Any, Any] = {
            look: _CLOSED,
            direction: gr.Dropdown(choices=list(found.directions), value=found.direction),
            below: gr.Column(visible=found.showing is not None),
            scores: found.scores,
            seeds: gr.Radio(visible=False),
            significant: notice(found.untold or "Resampling ..."),
            divided: "",
            segments: "",
        }
        if found.view is None:
            return updates
        form = replace(Form.read(values).fitting(found.view), page=1)
        choices = field_choices(found.view, found.names)
        for name, value in field_values(form).items():
            updates[fields[name]] = (
                gr.Dropdown(choices=choices[name], value=value) if name in choices else value
            )
        updates[segments] = segments_html(found.view, found.names, form, None)
        return updates

    def arrive(at: Latest, code: str | None, wish: Asked | None, *values: Any) -> dict[Any, Any]:
        """The tab is opened: offer what there is by now, and leave what is shown as it was."""
        choices = desk.choices()
        there = [system for _, system in choices]
        kept = [system for system in at.chosen if system in there]
        if kept and desk.still(at, kept):
            return {systems: gr.Dropdown(choices=choices)}
        kept = kept or first_choice(desk, there, wish.value if wish else ())
        offered = {systems: gr.Dropdown(choices=choices, value=kept)}
        return offered | present(at, kept, code, values)

    def answer_wire(at: Latest, code: str | None, wish: Asked, *values: Any) -> dict[Any, Any]:
        at.chosen = ()
        return arrive(at, code, wish, *values)

    def choose_by_hand(
        at: Latest, code: str | None, ids: list[str] | None, *values: Any
    ) -> dict[Any, Any]:
        return present(at, ids or [], code, values)

    def tell(at: Latest, over: str) -> tuple[Any, Any]:
        asked_of = at.showing
        told = significance(desk, asked_of, over)
        if told is None or at.showing != asked_of:  # meanwhile others were chosen
            return gr.skip(), gr.skip()
        return gr.Radio(visible=told[0]), told[1]

    def divide(at: Latest, metric: str) -> Any:
        asked_of = at.showing
        html = parts(desk, asked_of, metric)
        return html if at.showing == asked_of else gr.skip()

    def start_over(at: Latest, seen: Any, *values: Any) -> tuple[Any, Any, Any]:
        """The filter or the order has changed: the first page, and nothing open."""
        form = replace(Form.read(values), page=1)
        return (None, seen[1]), 1, listing(desk, at.showing, form)

    def turn(at: Latest, seen: Any, *values: Any) -> tuple[Any, Any]:
        return (None, seen[1]), listing(desk, at.showing, Form.read(values))

    def click(at: Latest, seen: Any, evt: gr.EventData, *values: Any) -> tuple[Any, ...]:
        before = replace(Form.read(values), opened=seen[0], family=seen[1])
        form, run_id = after_click(before, evt._data)
        if run_id is not None:
            return gr.skip(), gr.skip(), gr.skip(), asked(lab.run(run_id).id)
        html = listing(desk, at.showing, form)
        return (form.opened, form.family), form.page, html, gr.skip()

    def click_run(evt: gr.EventData) -> Any:
        _, run_id = after_click(Form(), evt._data)
        return asked(lab.run(run_id or "").id)

    def save(kind: str, at: Latest, *values: Any) -> Any:
        return downloaded(*file_of(desk, at.showing, Form.read(values), kind))

    quiet: dict[str, Any] = {"api_visibility": "private", "concurrency_limit": None}
    still = quiet | {"show_progress": "hidden"}
    presented = (
        tab.select(
            shown(arrive), [latest, direction, wires.compare, *controls], everything, **quiet
        ),
        wires.compare.change(
            shown(answer_wire), [latest, direction, wires.compare, *controls], everything, **quiet
        ),
        gr.on(
            [systems.input, direction.input],
            shown(choose_by_hand), [latest, direction, systems, *controls], everything, **quiet,
        ),
    )  # fmt: skip
    for event in presented:
        told = event.then(shown(tell), [latest, seeds], [seeds, significant], **still)
        told.then(shown(divide), [latest, fields["metric"]], [divided], **still)
    seeds.input(shown(tell), [latest, seeds], [seeds, significant], **quiet)
    fields["metric"].input(shown(divide), [latest, fields["metric"]], [divided], **still)

    asking = [control.input for name, control in fields.items() if name not in ("page", "text")]
    gr.on(
        [*asking, fields["text"].change],  # a text field hears of no paste as input
        shown(start_over), [latest, look, *controls], [look, fields["page"], segments],
        trigger_mode="always_last", **still,
    )  # fmt: skip
    fields["page"].input(
        shown(turn), [latest, look, *controls], [look, segments],
        trigger_mode="always_last", **still,
    )  # fmt: skip
    segments.click(
        shown(click), [latest, look, *controls],
        [look, fields["page"], segments, wires.open_run], **still,
    )  # fmt: skip
    scores.click(shown(click_run), None, [wires.open_run], **still)
    for kind, button in files.items():
        button.click(
            shown(lambda *values, kind=kind: save(kind, *values)), [latest, *controls], [slot],
            **quiet,
        )  # fmt: skip


def _fields() -> dict[str, Any]:
    """The controls that `Form.read` reads, by name and in its order."""
    narrow: dict[str, Any] = {"min_width": 140}
    with gr.Row():
        made: dict[str, Any] = {
            "order": gr.Dropdown(
                [("Order of the test set", "test set")], value="test set", label="Sort by",
                scale=2, **narrow, **CHOOSE_ONLY,
            ),
            "metric": gr.Dropdown(
                [("sentence chrF", "chrf")], value="chrf", label="Segment score",
                **narrow, **CHOOSE_ONLY,
            ),
            "against": gr.Dropdown(
                [("the reference", REFERENCE)], value=REFERENCE,
                label="Mark words that differ from", **narrow, **CHOOSE_ONLY,
            ),
        }  # fmt: skip
    with gr.Row():
        made |= {
            "failure": gr.Dropdown(FAILURE_CHOICES, value="", label="Failure", **narrow),
            "failing": gr.Dropdown(
                [("any system", "")], value="", label="Failure of", **narrow, **CHOOSE_ONLY
            ),
            "length": gr.Dropdown(
                [(ANY_LENGTH, "")], value="", label="Source length", scale=2, min_width=220,
                **CHOOSE_ONLY,
            ),
            "text": gr.Textbox(
                label="Text in source, reference or translation", max_length=LONGEST_TEXT,
                max_lines=1, scale=2, **narrow,
            ),
            "page": gr.Number(1, label="Page", minimum=1, precision=0, min_width=80),
        }  # fmt: skip
    return {name: made[name] for name in FIELDS}

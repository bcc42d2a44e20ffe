"""The filters of the Results tab: controls that offer what occurs, and the selection they make."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from mtlab.errors import InputError
from mtlab.results.board import View
from mtlab.results.labels import GATED_COMET, METRICS, base_label
from mtlab.results.selection import Selection
from mtlab.ui.choosing import CHOOSE_ONLY, label_of

GATED_MEANS = (
    "Gated COMET: a segment that fails in any way counts zero, since COMET gives a copy of the "
    "source about 0.66. BLEU and chrF are taken as they fall: gated and raw are one number."
)
_ALL = ("All", "")


@dataclass(frozen=True)
class Filters:
    """The controls, in the order in which a handler is given their values."""

    metric: gr.Radio
    base: gr.Dropdown
    corpus: gr.Dropdown
    group: gr.Dropdown
    directions: gr.Dropdown
    runs: gr.Dropdown

    @property
    def inputs(self) -> list[Any]:
        """All of them."""
        return [self.metric, self.base, self.corpus, self.group, self.directions, self.runs]


def filter_controls() -> Filters:
    """The controls, before it is known what occurs."""
    with gr.Row(elem_id="results-filters"):
        metric = gr.Radio([], label="Metric", elem_id="results-metric", scale=2, min_width=260)
        base = _dropdown("Base model", "results-base")
        corpus = _dropdown("Corpus", "results-corpus")
        group = _dropdown("Sweep", "results-group")
        directions = _dropdown("Test directions", "results-directions", multiselect=True)
        runs = _dropdown("Runs", "results-runs", multiselect=True)
    return Filters(metric, base, corpus, group, directions, runs)


def selection_of(values: Sequence[Any]) -> Selection:
    """The selection that the controls' values make.

    Raises:
        InputError: a value of another kind than its control gives.
    """
    metric, base, corpus, group, directions, runs = values
    return Selection(
        metric=_text("Metric", metric),
        base=_text("Base model", base),
        corpus=_text("Corpus", corpus),
        group=_text("Sweep", group),
        directions=_texts("Test directions", directions),
        runs=_texts("Runs", runs),
    )


def filter_updates(filters: Filters, view: View) -> dict[Any, Any]:
    """Each control with what occurs and what is chosen; one without a choice is not shown."""
    offered, selection = view.choices, view.selection
    names = {record.id: label_of(record) for record in view.records}
    metrics = [(METRICS[name], name) for name in offered.metrics]
    gated = GATED_MEANS if GATED_COMET in offered.metrics else None
    return {
        filters.metric: gr.update(choices=metrics, value=view.metric, info=gated),
        filters.base: _one(offered.bases, selection.base, base_label),
        filters.corpus: _one(offered.corpora, selection.corpus, str),
        filters.group: _one(offered.groups, selection.group, str),
        filters.directions: _several(
            [(one, one) for one in offered.directions], selection.directions, "directions"
        ),
        filters.runs: _several(
            [(names.get(run, run), run) for run in offered.runs], selection.runs, "finished runs"
        ),
    }


def _dropdown(label: str, elem_id: str, **options: Any) -> gr.Dropdown:
    choices = [] if options.get("multiselect") else [_ALL]
    value = [] if options.get("multiselect") else ""
    return gr.Dropdown(
        choices, value=value, label=label, elem_id=elem_id, min_width=160, **options, **CHOOSE_ONLY
    )


def _one(values: Sequence[str], value: str, name: Any) -> Any:
    choices = [_ALL, *((name(one), one) for one in values)]
    return gr.update(choices=choices, value=value, visible=len(values) > 1 or bool(value))


def _several(choices: list[tuple[str, str]], value: Sequence[str], what: str) -> Any:
    info = f"None chosen: all {len(choices)} {what}."
    shown = len(choices) > 1 or bool(value)
    return gr.update(choices=choices, value=list(value), info=info, visible=shown)


def _text(field: str, value: Any) -> str:
    if value is not None and not isinstance(value, str):
        raise InputError("one value is needed", field=field, fix="choose one of the list")
    return value or ""


def _texts(field: str, values: Any) -> tuple[str, ...]:
    if values is None:
        return ()
    if not isinstance(values, list) or not all(isinstance(one, str) for one in values):
        raise InputError("a list of values is needed", field=field, fix="choose from the list")
    return tuple(dict.fromkeys(values))

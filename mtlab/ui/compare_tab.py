"""The Compare tab: the base and runs side by side, segment by segment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr

from mtlab.errors import InputError
from mtlab.lab import Lab, Run
from mtlab.results.labels import METRICS
from mtlab.ui.choosing import CHOOSE_ONLY, finished_choices
from mtlab.ui.errors import shown
from mtlab.ui.markup import badges, difference, escape, notice, table, text_block
from mtlab.ui.scores import score_cell

PAGE = 25
MOST_RUNS = 4


def build_compare_tab(lab: Lab, tab: gr.Tab) -> None:
    """Lay the tab out and wire what happens inside it."""
    with gr.Row():
        runs = gr.Dropdown(
            [],
            multiselect=True,
            max_choices=MOST_RUNS,
            label="Runs",
            elem_id="compare-runs",
            **CHOOSE_ONLY,
            scale=3,
            info=f"Up to {MOST_RUNS}; the untuned base stands beside them.",
        )
        direction = gr.Dropdown(
            [], label="Direction", elem_id="compare-direction", min_width=120, **CHOOSE_ONLY
        )
        page = gr.Number(1, label="Page", minimum=1, precision=0, min_width=90)
    scores = gr.HTML(elem_id="compare-scores")
    segments = gr.HTML(elem_id="compare-segments")

    def offer(chosen: list[str] | None) -> tuple[Any, Any]:
        choices = finished_choices(lab)
        ids = [run_id for _, run_id in choices]
        kept = [run_id for run_id in chosen or [] if run_id in ids] or ids[:1]
        return gr.Dropdown(choices=choices, value=kept), _direction_choice(lab, kept, None)

    def show(chosen: list[str], code: str | None, number: float | None) -> tuple[str, str]:
        if not chosen or not code:
            return notice("Finished runs can be compared here. There is none yet."), ""
        opened = [lab.run(run_id) for run_id in chosen]
        return _scores(opened, code), _segments(opened, code, int(number or 1))

    quiet = {"api_visibility": "private", "concurrency_limit": None}
    tab.select(shown(offer), [runs], [runs, direction], **quiet)
    runs.change(
        shown(lambda chosen, code: _direction_choice(lab, chosen, code)),
        [runs, direction], [direction], **quiet,
    )  # fmt: skip
    gr.on(
        [runs.change, direction.change, page.change],
        shown(show), [runs, direction, page], [scores, segments], **quiet,
    )  # fmt: skip


def _direction_choice(lab: Lab, chosen: Sequence[str], code: str | None) -> Any:
    tested = [[str(d) for d in lab.run(run_id).spec.tested] for run_id in chosen]
    common = [d for d in tested[0] if all(d in other for other in tested)] if tested else []
    value = code if code in common else (common[0] if common else None)
    return gr.Dropdown(choices=common, value=value)


def _names(runs: Sequence[Run]) -> list[str]:
    return [run.spec.name or f"{run.spec.amount}, {run.id}" for run in runs]


def _base_name(runs: Sequence[Run]) -> str:
    """What the untuned base of the first run is called; by name, where others had another."""
    return "base" if len({run.spec.base for run in runs}) == 1 else f"{runs[0].spec.base}, untuned"


def _scores(runs: Sequence[Run], code: str) -> str:
    summaries = [run.summary() for run in runs]
    base = (summaries[0].get("base") or {}).get(code)
    systems: list[tuple[str, Any]] = [(_base_name(runs), base)] if base else []
    systems += zip(_names(runs), (summary["scores"][code] for summary in summaries), strict=True)
    metrics = [metric for metric in METRICS if all(metric in values for _, values in systems)]
    rows = [
        (escape(name), *(score_cell(metric, values[metric]) for metric in metrics))
        for name, values in systems
    ]
    return table(
        ("System", *(METRICS[metric] for metric in metrics)),
        rows,
        caption=f"{code}: corpus scores with 95% intervals",
        css_class="numbers",
    )


def _segments(runs: Sequence[Run], code: str, number: int) -> str:
    frames = [run.translations(code) for run in runs]
    first = frames[0]
    if any(list(frame["source"]) != list(first["source"]) for frame in frames):
        raise InputError(
            "these runs were tested on different segments",
            field="Runs",
            fix="compare runs with the same test corpus and limit",
        )
    pages = max(1, -(-len(first) // PAGE))
    number = min(max(number, 1), pages)
    has_base = "base" in first.columns and first["base"].notna().all()
    headers = ["#", "Source", "Reference", *([_base_name(runs)] if has_base else []), *_names(runs)]
    rows = []
    for index in range((number - 1) * PAGE, min(number * PAGE, len(first))):
        row = first.iloc[index]
        cells = [str(index + 1), text_block(row["source"]), text_block(row["reference"])]
        if has_base:
            cells.append(
                _hypothesis(
                    row["base"], row["reference"], row["base_failures"], row["base_language"]
                )
            )
        for frame in frames:
            own = frame.iloc[index]
            cells.append(
                _hypothesis(own["hypothesis"], own["reference"], own["failures"], own["language"])
            )
        rows.append(cells)
    return table(
        headers,
        rows,
        css_class="segments",
        caption=f"Segments {code}, page {number} of {pages}; where a hypothesis has much in "
        "common with the reference, the other words are marked",
    )


def _hypothesis(text: str, reference: str, failures: Sequence[str], language: str | None) -> str:
    return f'<div dir="auto">{difference(text, reference)}</div>{badges(failures, language)}'

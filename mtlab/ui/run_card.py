"""The open run on the page: laid out here, and kept up to date while it goes on."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import gradio as gr

from mtlab.commands import command_for
from mtlab.lab import Lab, Run
from mtlab.results.filters import of_run
from mtlab.results.overview import Snapshot
from mtlab.results.seen import SeenRun
from mtlab.runs.actions import possible
from mtlab.runs.files import file_mark, read_json
from mtlab.runs.fitting import as_used
from mtlab.runs.settling import stop_request
from mtlab.runs.time_left import left_in_words, told_in_words
from mtlab.runs.training_log import TrainingLog, thinned, training_log
from mtlab.ui.clicks import clickable
from mtlab.ui.confirming import Confirmation
from mtlab.ui.live_chart import live_chart, training_figure
from mtlab.ui.markup import escape, notice
from mtlab.ui.matrix import drawn
from mtlab.ui.part import Part
from mtlab.ui.revealing import reveal
from mtlab.ui.run_html import (
    chart_table_html,
    error_html,
    head_html,
    provenance_html,
    samples_html,
    state_html,
)
from mtlab.ui.scores import headline, scores_html

_LOG_LINES = 40
_CHART_POINTS = 1500
_KEPT = 32
_FILES = (
    "status.json", "stop.json", "events.jsonl", "scores.json", "provenance.json", "job.log"
)  # fmt: skip
"""What is shown of a run lies in these."""

ACTIONS = {
    "stop": "Stop and keep",
    "discard": "Stop and discard",
    "resume": "Resume",
    "lend": "Lend my GPU time",
    "halve": "Halve the batch and launch again",
    "clone": "Clone into Launch",
    "compare": "Compare",
    "delete": "Delete",
}
_VARIANTS: dict[str, Any] = {"discard": "stop", "delete": "stop", "lend": "primary"}


@dataclass(frozen=True)
class Shown:
    """What one visitor sees: of each output what it was last made from."""

    run: str = ""
    marks: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Picked:
    """The step whose samples a visitor has chosen to see; of no run, the newest."""

    run: str = ""
    step: int = -1

    def among(self, steps: Sequence[int], run: str) -> int | None:
        """The step to show of a run that has samples after these steps."""
        if self.run == run and self.step in steps:
            return self.step
        return steps[-1] if steps else None


@dataclass(frozen=True)
class _Followed:
    """A run's events as they were last read, for all who look at it."""

    last: int
    log: TrainingLog
    figure: dict[str, Any]
    sentence: str


class RunCard:
    """The open run of one page.

    Args:
        lab: whose run it is.
        opened: the visitor's open run.
    """

    def __init__(self, lab: Lab, opened: gr.Textbox) -> None:
        self._lab = lab
        self._followed: OrderedDict[str, _Followed] = OrderedDict()
        self.shown = gr.State(Shown())
        self.picked = gr.State(Picked())
        self.head = clickable("run-head")
        with gr.Column(elem_id="run-body"):
            self._lay_out()
        self._outputs = {
            "head": self.head, "state": self.state, "error": self.error,
            "scores": self.scores, "chart": self.chart, "summary": self.summary,
            "table": self.table, "step": self.step, "samples": self.samples, "log": self.log,
            "spec": self.spec, "command": self.command, "provenance": self.provenance,
        }  # fmt: skip
        outputs = [self.shown, *self._outputs.values()]
        self.part = Part([self.shown, opened, self.picked], outputs, self._changes)

    def _lay_out(self) -> None:
        self.state = gr.HTML(elem_id="run-state")
        self.error = gr.HTML(elem_id="run-error")
        with gr.Row(elem_id="run-actions"):
            self.buttons = {
                action: gr.Button(
                    label, size="sm", min_width=100, elem_id=f"run-{action}",
                    variant=_VARIANTS.get(action, "secondary"),
                )
                for action, label in ACTIONS.items()
            }  # fmt: skip
        self.confirmation = Confirmation("run-confirm")
        self.scores = gr.HTML(elem_id="run-scores")
        with gr.Column(elem_id="run-training"):
            self.chart = live_chart("Training", "run-chart")
            self.summary = gr.HTML(elem_id="run-chart-summary")
            with gr.Accordion("The chart as a table", open=False):
                self.table = gr.HTML(elem_id="run-chart-table")
            self.step = gr.Radio([], label="Sample translations after step", elem_id="run-step")
            self.samples = gr.HTML(elem_id="run-samples")
        with gr.Accordion("Log", open=False):
            self.log = gr.Code(
                label="Last lines of job.log", language=None, lines=10, interactive=False
            )
        with gr.Accordion("As launched", open=False):
            copied: dict[str, Any] = {
                "interactive": False, "buttons": ["copy"], "wrap_lines": True,
            }  # fmt: skip
            self.spec = gr.Code(label="Spec", language="yaml", elem_id="run-spec", **copied)
            self.command = gr.Code(
                label="Command", language="shell", elem_id="run-command", **copied
            )
        with gr.Accordion("Provenance", open=False):
            self.provenance = gr.HTML(elem_id="run-provenance")

    def _changes(
        self, snapshot: Snapshot, shown: Shown, opened: str | None, picked: Picked
    ) -> list[Any]:
        seen = snapshot.run(opened)
        now = Shown(seen.id if seen else "")
        before = shown.marks if seen and shown.run == seen.id else {}
        if seen is None:
            made = self._nothing(opened)
        else:
            made = self._of(snapshot, seen, picked)
        now.marks.update({name: mark for name, (mark, _) in made.items()})
        if now == shown:
            return self.part.unchanged
        changed = {name: make() for name, (mark, make) in made.items() if before.get(name) != mark}
        return [now, *(changed.get(name, gr.skip()) for name in self._outputs)]

    def mark(self, snapshot: Snapshot, opened: str | None) -> str:
        """Another word as soon as anything that is shown of a run has changed."""
        run = snapshot.run(opened)
        if run is None:
            return "none"
        folder = self._lab.settings.runs / run.id
        files = [file_mark(folder / name) for name in _FILES]
        seeds = [(one.id, one.status.state) for one in _seeds(snapshot, run)]
        return repr((files, seeds, snapshot.place(run.id)))

    def pick(self, opened: str | None, step: Any) -> Picked:
        """What a visitor has chosen among the steps; the newest one goes on with the run."""
        steps = tuple(self._follow(self._lab.run(opened or "")).log.samples)
        return Picked(opened or "", step) if step in steps[:-1] else Picked()

    def _nothing(self, opened: str | None) -> dict[str, _Made]:
        text = "No run is open: choose one in the matrix or in the list below."
        if opened:
            text = f"The run {opened} is not there any more: choose another one."
        html = notice(text)
        return {"head": (html, lambda: html)}

    def _of(self, snapshot: Snapshot, seen: SeenRun, picked: Picked) -> dict[str, _Made]:
        """Of each output what it is made from, and how."""
        run, spec, status = self._lab.run(seen.id), seen.spec, seen.status
        followed = self._follow(run)
        log = followed.log
        stopping = status.state == "running" and stop_request(run.folder) is not None
        used = as_used(spec, status.halved, run.folder)
        can = possible(used, status, stopping=stopping)
        revealed = [f"run-{action}" for action in ACTIONS if action in can]
        if spec.training.trains:
            revealed.append("run-training")
        steps = tuple(log.samples)
        chosen = picked.among(steps, run.id)
        head = head_html(seen, _seeds(snapshot, seen))
        error = error_html(status)
        state = reveal(revealed) + state_html(
            spec,
            status,
            log,
            stopping=stopping,
            place=snapshot.place(seen.id),
            left=left_in_words(status, run.folder),
            told=told_in_words(status, run.folder),
        )
        return {
            "head": (head, lambda: head),
            "state": (state, lambda: state),
            "error": (error, lambda: error),
            "scores": (
                (status.state, file_mark(run.folder / "scores.json")),
                lambda: _scores_html(run),
            ),
            "chart": (followed.last, lambda: followed.figure),
            "summary": (followed.sentence, lambda: notice(followed.sentence)),
            "table": (followed.last, lambda: chart_table_html(log)),
            "step": (
                (steps, chosen),
                lambda: gr.update(choices=list(steps), value=chosen),
            ),
            "samples": ((steps, chosen), lambda: samples_html(log.samples, chosen)),
            "log": (file_mark(run.folder / "job.log"), lambda: run.log_tail(_LOG_LINES)),
            "spec": (run.id, spec.to_yaml),
            "command": (run.id, lambda: command_for(spec)),
            "provenance": (
                file_mark(run.folder / "provenance.json"),
                lambda: provenance_html(read_json(run.folder / "provenance.json") or {}),
            ),
        }

    def _follow(self, run: Run) -> _Followed:
        """The run's events, read and drawn once for all visitors."""
        kept = self._followed.get(run.id)
        if kept is not None and not run.events(kept.last):
            return kept
        events = run.events()
        log = training_log(events)
        figure, sentence = training_figure(thinned(log.steps, _CHART_POINTS), list(log.probes))
        kept = _Followed(events[-1].seq if events else 0, log, figure, sentence)
        self._followed[run.id] = kept
        while len(self._followed) > _KEPT:
            self._followed.popitem(last=False)
        return kept


_Made = tuple[Any, Callable[[], Any]]
"""What an output is made from, to compare; and how it is made."""


def _seeds(snapshot: Snapshot, seen: SeenRun) -> list[SeenRun]:
    """The runs that differ from this one in their seed alone, itself among them, by seed."""
    ids = drawn(snapshot, of_run(seen)).matrix.seeds_of(seen.id)
    return [run for one in ids if (run := snapshot.run(one)) is not None]


def _scores_html(run: Run) -> str:
    summary = run.summary()
    sentence = headline(summary, run.spec)
    top = f'<p class="headline">{escape(sentence)}</p>' if sentence else ""
    return top + scores_html(summary)

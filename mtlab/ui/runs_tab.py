"""The Runs tab: every run of the home, and the one at hand, live."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from mtlab.commands import command_for
from mtlab.errors import InputError
from mtlab.lab import Lab, Run
from mtlab.ui.choosing import CHOOSE_ONLY, label_of, run_choices
from mtlab.ui.errors import shown
from mtlab.ui.live_chart import live_chart, training_figure
from mtlab.ui.markup import escape, notice, table, text_block
from mtlab.ui.scores import headline, scores_html

POLL_SECONDS = 1.5
_ENDED = {"finished", "stopped", "failed", "interrupted"}
_LOG_LINES = 40


@dataclass(frozen=True)
class RunsTab:
    """The components other parts of the page speak to."""

    choice: gr.Dropdown
    timer: gr.Timer


@dataclass(frozen=True)
class _View:
    """What one visitor last saw, so that an unchanged run costs nothing."""

    run_id: str = ""
    seen: int = -1
    stamp: str = ""
    listing: str = ""


def build_runs_tab(lab: Lab) -> RunsTab:
    """Lay the tab out and wire what happens inside it."""
    choice = gr.Dropdown([], label="Run", elem_id="run-choice", interactive=True, **CHOOSE_ONLY)
    state = gr.HTML(elem_id="run-state")
    with gr.Row():
        stop = gr.Button("Stop and keep", size="sm", min_width=100)
        discard = gr.Button("Stop and discard", size="sm", min_width=100)
        resume = gr.Button("Resume", size="sm", min_width=100)
        delete = gr.Button("Delete", size="sm", variant="stop", min_width=100)
    with gr.Row(visible=False) as confirm:
        gr.Markdown("This removes the run and everything it learnt.")
        yes = gr.Button("Yes, remove it", size="sm", variant="stop", min_width=100)
        no = gr.Button("No, keep it", size="sm", min_width=100)
    scores = gr.HTML(elem_id="run-scores")
    chart = live_chart("Training", "run-chart")
    summary = gr.HTML(elem_id="run-chart-summary")
    samples = gr.HTML(elem_id="run-samples")
    with gr.Accordion("Log", open=False):
        log = gr.Code(label="Last lines of job.log", language=None, lines=10, interactive=False)
    with gr.Accordion("As launched", open=False):
        spec = gr.Code(label="Spec", language="yaml", interactive=False, buttons=["copy"])
        command = gr.Code(label="Command", language="shell", interactive=False, buttons=["copy"])
    gr.Markdown("### All runs")
    listing = gr.HTML(elem_id="run-list")

    view = gr.State(_View())
    timer = gr.Timer(POLL_SECONDS)
    outputs = [view, choice, state, scores, chart, summary, samples, log, spec, command, listing]

    def poll(view: _View, run_id: str | None) -> tuple[Any, ...]:
        return _poll(lab, view, run_id, len(outputs))

    polling = {"concurrency_limit": None, "show_progress": "hidden", "api_visibility": "private"}
    timer.tick(shown(poll), [view, choice], outputs, **polling)
    choice.change(shown(poll), [view, choice], outputs, **polling)

    def act(action: Any) -> Any:
        def handler(run_id: str | None) -> None:
            action(_chosen(lab, run_id))

        return shown(handler)

    stop.click(act(lambda run: run.stop(keep=True)), [choice], None, api_visibility="private")
    resume.click(act(lambda run: run.resume()), [choice], None, api_visibility="private")

    pending = gr.State("")
    for button, what in ((discard, "discard"), (delete, "delete")):
        button.click(
            shown(lambda run_id, what=what: _ask(lab, run_id, what)),
            [choice], [confirm, pending], api_visibility="private",
        )  # fmt: skip
    yes.click(
        shown(lambda run_id, what: _remove(lab, run_id, what)),
        [choice, pending], [confirm, choice], api_visibility="private",
    )  # fmt: skip
    no.click(lambda: gr.Row(visible=False), None, [confirm], api_visibility="private")
    return RunsTab(choice=choice, timer=timer)


def _chosen(lab: Lab, run_id: str | None) -> Run:
    if not run_id:
        raise InputError("no run is chosen", field="Run", fix="choose one, or launch one")
    return lab.run(run_id)


def _ask(lab: Lab, run_id: str | None, what: str) -> tuple[Any, str]:
    _chosen(lab, run_id)
    return gr.Row(visible=True), what


def _remove(lab: Lab, run_id: str | None, what: str) -> tuple[Any, Any]:
    run = _chosen(lab, run_id)
    if what == "discard":
        run.stop(keep=False)
    else:
        run.delete()
    choices = run_choices(lab)
    return gr.Row(visible=False), gr.Dropdown(
        choices=choices, value=choices[0][1] if choices else None
    )


def _poll(lab: Lab, view: _View, run_id: str | None, width: int) -> tuple[Any, ...]:
    """What has changed since this visitor looked last; `gr.skip()` where nothing has."""
    skip = gr.skip()
    runs = lab.runs()
    listing = _listing_html(runs)
    choices: Any = skip
    if listing != view.listing:
        choices = gr.Dropdown(choices=[(label_of(run), run.id) for run in runs])
    run = next((run for run in runs if run.id == run_id), None)
    if run is None:
        if listing == view.listing:
            return (skip,) * width
        empty = notice("No run is chosen yet. Launch one, or choose one above.")
        seen = _View(listing=listing)
        return (seen, choices, empty, "", {}, "", "", "", "", "", listing)
    events = run.events(0)
    status = run.status()
    stamp = f"{status.state} {status.phase} {status.progress:.3f} {status.error}"
    last = events[-1].seq if events else 0
    now = _View(run.id, last, stamp, listing)
    if now == view:
        return (skip,) * width
    same_run = view.run_id == run.id
    steps = [event.to_json() for event in events if event.kind == "step"]
    probes = [event.to_json() for event in events if event.kind == "probe"]
    figure, sentence = training_figure(steps, probes)
    new_events = not same_run or last != view.seen
    return (
        now,
        choices,
        _state_html(run, steps),
        _scores_html(run) if status.state in _ENDED or not same_run else skip,
        figure if new_events else skip,
        notice(sentence) if new_events else skip,
        _samples_html(events) if new_events else skip,
        run.log_tail(_LOG_LINES) if new_events else skip,
        skip if same_run else run.spec.to_yaml(),
        skip if same_run else command_for(run.spec),
        listing if listing != view.listing else skip,
    )


def _listing_html(runs: list[Run]) -> str:
    if not runs:
        return notice("This lab has no runs yet: press Launch.")
    rows = []
    for run in runs:
        status, spec = run.status(), run.spec
        noise = f"{spec.noise.kind}, {spec.noise.side}" if spec.noise.active else "none"
        cells = (
            run.id, f"{status.state}", f"{status.progress:.0%}", spec.base, str(spec.size),
            spec.learns_from, noise, str(spec.seed),
        )  # fmt: skip
        rows.append(tuple(escape(cell) for cell in cells))
    headers = ("Run", "State", "Progress", "Base", "Pairs", "Trained on", "Noise", "Seed")
    return table(headers, rows, caption="Every run of this lab, newest first")


def _state_html(run: Run, steps: list[dict[str, Any]]) -> str:
    status = run.status()
    percent = round(100 * status.progress)
    phases = ", ".join(f"{phase} {value:.1f} s" for phase, value in status.seconds.items())
    details = [phases]
    if steps and steps[-1].get("memory_mb"):
        details.append(f"memory {steps[-1]['memory_mb']:.0f} MB")
    if steps and steps[-1].get("tokens_per_second") and status.phase == "train":
        details.append(f"{steps[-1]['tokens_per_second']:.0f} target tokens/s")
    phase = f", {status.phase}" if status.phase and status.state == "running" else ""
    text = (
        f'<div class="run-state {escape(status.state)}"><b>{escape(status.state)}</b>'
        f"{escape(phase)} <progress max=100 value={percent} aria-label='progress'></progress> "
        f"{percent}%"
        f'<div class="quiet">{escape("; ".join(part for part in details if part))}</div></div>'
    )
    if status.error:
        error = status.error
        sentence = ". ".join(
            part.rstrip(".") for key in ("what", "why", "fix") if (part := error.get(key))
        )
        text += notice(f"{sentence}.", css_class="problem")
    return text


def _scores_html(run: Run) -> str:
    summary = run.summary()
    sentence = headline(summary, run.spec)
    top = f'<p class="headline">{escape(sentence)}</p>' if sentence else ""
    return top + scores_html(summary)


def _samples_html(events: list[Any]) -> str:
    samples = [event.to_json() for event in events if event.kind == "sample"]
    if not samples:
        return ""
    step = samples[-1]["step"]
    rows = [
        (
            escape(str(sample["direction"])),
            text_block(sample["source"]),
            text_block(sample["hypothesis"]),
            text_block(sample["reference"]),
        )  # fmt: skip
        for sample in samples
        if sample["step"] == step
    ]
    headers = ("Direction", "Source", "Translation now", "Reference")
    return table(headers, rows, caption=f"Sample translations at step {step}")

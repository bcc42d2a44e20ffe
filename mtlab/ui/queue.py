"""The queue on the page: what runs, what waits and in which order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr

from mtlab.lab import Lab
from mtlab.results.labels import spec_label
from mtlab.results.overview import Snapshot
from mtlab.results.seen import SeenRun
from mtlab.ui.clicks import button, clickable, clicked
from mtlab.ui.errors import shown
from mtlab.ui.markup import escape, notice, table
from mtlab.ui.part import Part


@dataclass(frozen=True)
class Shown:
    """What one visitor sees of the queue."""

    mark: int = -1
    problem: str = ""
    html: str = ""


class QueuePart:
    """The queue of one page.

    Args:
        lab: whose queue it is.
    """

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self.shown = gr.State(Shown())
        self.html = clickable("run-queue")
        self.part = Part([self.shown], [self.shown, self.html], self._changes)

    def wire(self, refresh: Callable[[Any], None]) -> None:
        """Answer to a click; `refresh` has the page look again after an event."""
        refresh(self.html.click(shown(self._act), None, None, api_visibility="private"))

    def _act(self, event: gr.EventData) -> None:
        what, run_id = clicked(event)
        run = self._lab.run(run_id)
        if what == "cancel":
            run.stop(keep=True)
        else:
            run.move(what)  # type: ignore[arg-type]  # it refuses a place there is not

    def _changes(self, snapshot: Snapshot, seen: Shown) -> list[Any]:
        problem = str(self._lab.supervisor.problem or self._lab.clusters.problem or "")
        if (snapshot.mark, problem) == (seen.mark, seen.problem):
            return [gr.skip(), gr.skip()]
        html = queue_html(snapshot)
        if problem:
            html = (
                notice(f"The queue cannot go on as it should: {problem}", css_class="problem")
                + html
            )
        return [Shown(snapshot.mark, problem, html), html if html != seen.html else gr.skip()]


def queue_html(snapshot: Snapshot) -> str:
    """What runs and what waits, with a way to each."""
    running = [run for run in snapshot.runs if run.status.state == "running"]
    if not running and not snapshot.queue:
        return notice("Nothing runs and nothing waits.")
    rows = [_row("now", run, _progress(run), "") for run in running]
    last = len(snapshot.queue)
    for place, run in enumerate(snapshot.queue, 1):
        needed = ", ".join(_name(one) for one in snapshot.waits_for(run))
        state = escape(f"waits for {needed}" if needed else "queued")
        rows.append(_row(str(place), run, state, _moves(run, place, last)))
    caption = f"{len(running)} running, {last} waiting; the next one first"
    return table(("Place", "Run", "State", "Change"), rows, caption=caption)


def _name(run: SeenRun) -> str:
    return run.spec.name or spec_label(run.spec)


def _row(place: str, run: SeenRun, state: str, moves: str) -> tuple[str, ...]:
    name = _name(run)
    link = button(f'<span dir="auto">{escape(name)}</span>', "open", run.id, css_class="link")
    seed = f'<small class="quiet">seed {run.spec.seed}</small>'
    cancel = button("Cancel", "cancel", run.id, label=f"Cancel {name}", css_class="chip")
    return place, f"{link} {seed}", state, f'<div class="chips">{moves}{cancel}</div>'


def _progress(run: SeenRun) -> str:
    percent = round(100 * run.status.progress)
    label = escape(f"progress of {_name(run)}")
    return f'<progress max="100" value="{percent}" aria-label="{label}"></progress> {percent}%'


def _moves(run: SeenRun, place: int, last: int) -> str:
    """The ways to move a run that waits; those that lead nowhere are there and do nothing."""
    ways = (
        ("First", "front", place > 1),
        ("Up", "up", place > 1),
        ("Down", "down", place < last),
    )
    return "".join(
        button(
            name, where, run.id, label=f"{name}: {_name(run)}", css_class="chip",
            more="" if possible else ' aria-disabled="true"',
        )
        for name, where, possible in ways
    )  # fmt: skip

"""The demonstration: one run that is told about as it happens, a sentence at a time."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import gradio as gr

from mtlab.errors import InputError, MtlabError
from mtlab.lab import Lab, Run
from mtlab.runs.status import Status
from mtlab.spec import RunSpec
from mtlab.ui.clicks import button, clickable, clicked
from mtlab.ui.errors import shown
from mtlab.ui.events import QUIET
from mtlab.ui.markup import escape
from mtlab.ui.scores import headline
from mtlab.ui.wires import Wires, asked

GROUP = "demo"
DEMONSTRATION = RunSpec(
    name="60-second demonstration",
    group=GROUP,
    base="nano",
    size=32,
    train=("de-en", "en-de"),
    metrics=("bleu", "chrf"),  # COMET takes longer than all the rest
)

POLL_SECONDS = 2.0

_STEPS = ("Before", "Training", "After", "Look")
_STEP_OF = {"prepare": 0, "load": 0, "base": 0, "train": 1, "decode": 2, "score": 2}
_TELLING = {
    "prepare": "Drawing 32 German and English sentence pairs, the same ones for the same seed.",
    "load": "Loading nano, a small model that has read four languages and was never asked to "
    "translate.",
    "base": "First nano translates the test sentences untuned, so that there is something to "
    "compare with. It rambles.",
    "train": "Now it is trained on 32 sentence pairs, a few passes over each: watch the loss fall "
    "and the probe sentences change.",
    "decode": "The fine-tuned model translates the same test sentences.",
    "score": "Both sets of translations are scored against the references.",
}
# Where the strip leads: the tab, and the words on the button. When it is done, what to look at.
_UNTIL_THEN = {"runs": "Look at the run"}
_NEXT = {
    "compare": "Read both side by side",
    "results": "See what it shows",
    "translate": "Translate a sentence of your own",
    "launch": "Do it again with noise",
}
_WITH_NOISE = {"noise": {"kind": "word", "side": "target", "ratio": 1.0}}


class Walk:
    """The strip that walks along, above all tabs; hidden until somebody starts it.

    Args:
        lab: whose run it tells of.
        wires: the page's.
    """

    def __init__(self, lab: Lab, wires: Wires) -> None:
        self._lab = lab
        self._wires = wires
        self._strip = clickable("walk", "walk.js", apply_default_css=False)
        self._run = gr.State("")
        self._seen = gr.State("")
        self._timer = gr.Timer(POLL_SECONDS, active=False)
        self._tabs: Collection[str] = ()

    def wire(
        self, page: gr.Blocks, start: gr.Button, tabs: gr.Tabs, names: Collection[str]
    ) -> None:
        """Let the button start it, the address go on with it, and its own buttons lead on.

        Args:
            page: the page.
            start: the button that starts the demonstration.
            tabs: all tabs.
            names: their ids.
        """
        self._tabs = names
        told = [self._run, self._seen, self._strip, self._timer]
        start.click(
            shown(self._begin), None, [self._wires.open_run, *told], api_visibility="private"
        )
        page.load(shown(self._arrive), None, told, **QUIET)
        self._timer.tick(shown(self._poll), [self._run, self._seen], told[1:], **QUIET)
        self._strip.click(
            shown(self._clicked),
            [self._run],
            [tabs, self._wires.compare, self._wires.clone, *told],
            **QUIET,
        )

    def _begin(self) -> tuple[Any, ...]:
        """Start it; one that is on its way already is joined."""
        run = self._newest()
        if run is None or run.status().is_over:
            run = self._lab.launch(DEMONSTRATION)
        return (asked(run.id), run.id, *self._told(run))

    def _arrive(self, request: gr.Request) -> tuple[Any, ...]:
        run = self._newest() if request.query_params.get("demo") == "1" else None
        return ("", "", "", gr.Timer(active=False)) if run is None else (run.id, *self._told(run))

    def _poll(self, run_id: str, seen: str) -> tuple[Any, ...]:
        try:
            told = self._told(self._lab.run(run_id))
        except MtlabError:  # deleted meanwhile
            return "", "", gr.Timer(active=False)
        return (gr.skip(),) * 3 if told[0] == seen else told

    def _clicked(self, run_id: str, event: gr.EventData) -> tuple[Any, ...]:
        what, name = clicked(event)
        if what == "dismiss":
            return (*[gr.skip()] * 3, "", "", "", gr.Timer(active=False))
        if what != "go" or name not in self._tabs:
            raise InputError("there is nothing of that name", field="walk", fix="reload the page")
        compare: Any = asked([self._lab.run(run_id).id]) if name == "compare" else gr.skip()
        clone: Any = asked(_WITH_NOISE) if name == "launch" else gr.skip()
        return (gr.Tabs(selected=name), compare, clone, *[gr.skip()] * 4)

    def _told(self, run: Run) -> tuple[str, str, Any]:
        """A mark of what is told, the strip, and whether there is more to come."""
        status = run.status()
        html = walk_html(run, status, self._tabs)
        return html, html, gr.Timer(active=not status.is_over)

    def _newest(self) -> Run | None:
        return next((run for run in self._lab.runs() if run.spec.group == GROUP), None)


def walk_html(run: Run, status: Status, tabs: Collection[str]) -> str:
    """The strip for a run as it stands now.

    Args:
        run: the demonstration.
        status: how it stands.
        tabs: the ids of the tabs that there are to lead on to.
    """
    done = status.state == "finished"
    at = len(_STEPS) - 1 if done else _STEP_OF.get(status.phase or "", 0)
    steps = "".join(
        f"<li{' aria-current=step' if place == at else ''}>{name}</li>"
        for place, name in enumerate(_STEPS)
    )
    leading = "".join(
        button(words, "go", tab, css_class="small-button")
        for tab, words in (_NEXT if done else _UNTIL_THEN).items()
        if tab in tabs
    )
    close = button("×", "dismiss", "", label="Close the demonstration's notes", css_class="close")
    return (
        f'<section class="walk" aria-label="The demonstration"><ol>{steps}</ol>'
        f'<p aria-live="polite">{escape(told_of(run, status))}</p>'
        f'<div class="walk-next">{leading}</div>{close}</section>'
    )


def told_of(run: Run, status: Status) -> str:
    """What is happening now, in a sentence or two."""
    if status.state == "queued":
        return "The demonstration waits for its turn: another run has the device."
    if status.state == "running":
        return _TELLING.get(status.phase or "", "The demonstration starts.")
    if status.state == "finished":
        result = headline(run.summary(), run.spec) or "The demonstration has finished."
        return f"{result.rstrip('.')}. What to look at next:"
    ended = {"failed": "has failed"}.get(status.state, f"was {status.state}")
    return (
        f"The demonstration {ended}: {status.sentence}"
        if status.error
        else f"The demonstration {ended}."
    )

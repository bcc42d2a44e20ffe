"""What the buttons of the open run do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from mtlab.errors import InputError
from mtlab.halving import halved
from mtlab.lab import Lab, Run
from mtlab.results.lessons import as_chosen
from mtlab.ui.errors import shown
from mtlab.ui.run_card import RunCard
from mtlab.ui.wires import Wires, asked

_QUIET: dict[str, Any] = {"api_visibility": "private"}
_QUESTIONS = {
    "discard": "Stop run {run} and remove it with everything it learnt?",
    "delete": "Remove run {run} and everything it made?",
}


def wire_actions(
    lab: Lab, card: RunCard, opened: gr.Textbox, wires: Wires, refresh: Callable[[Any], None]
) -> None:
    """Connect the buttons.

    Args:
        lab: whose runs they act on.
        card: whose buttons they are.
        opened: the visitor's open run.
        wires: to the other tabs.
        refresh: has the page look again after an event.
    """
    acts: dict[str, Callable[[Run], None]] = {
        "stop": lambda run: run.stop(keep=True),
        "resume": lambda run: run.resume(),
    }
    for name, act in acts.items():
        click = card.buttons[name].click(
            shown(lambda run_id, act=act: act(_chosen(lab, run_id))), [opened], None, **_QUIET
        )
        refresh(click)
    refresh(
        card.buttons["lend"].click(
            shown(lambda run_id: _lend(lab, run_id)), [opened], None, **_QUIET
        )
    )
    answers: dict[str, tuple[Callable[[Run], Any], gr.State]] = {
        "clone": (lambda run: as_chosen(run.spec, lab.settings), wires.clone),
        "compare": (lambda run: [run.id], wires.compare),
        "halve": (lambda run: lab.launch(halved(run.spec_as_used())).id, wires.open_run),
    }
    for name, (answer, wire) in answers.items():
        card.buttons[name].click(
            shown(lambda run_id, answer=answer: asked(answer(_chosen(lab, run_id)))),
            [opened], [wire], **_QUIET,
        )  # fmt: skip
    _wire_removal(lab, card, opened, refresh)


def _wire_removal(
    lab: Lab, card: RunCard, opened: gr.Textbox, refresh: Callable[[Any], None]
) -> None:
    """Discard and delete ask first; the answer is about the run that the question was about."""
    confirmation = card.confirmation

    def ask(run_id: str | None, what: str) -> tuple[str, Any]:
        run = _chosen(lab, run_id)
        return confirmation.asking(_QUESTIONS[what].format(run=run.id), (what, run.id))

    for what in _QUESTIONS:
        card.buttons[what].click(
            shown(lambda run_id, what=what: ask(run_id, what)),
            [opened], confirmation.outputs, **_QUIET,
        )  # fmt: skip

    def remove(pending: tuple[str, str] | None) -> tuple[Any, Any]:
        what, run_id = pending or ("", "")
        run = _chosen(lab, run_id)
        if what == "discard":
            run.stop(keep=False)
            return confirmation.gone(), gr.skip()
        run.delete()
        rest = lab.runs()
        return confirmation.gone(), rest[0].id if rest else ""

    answered = confirmation.yes.click(
        shown(remove), [confirmation.pending], [confirmation.question, opened], **_QUIET
    )
    refresh(answered)
    opened.change(
        shown(confirmation.gone), None, [confirmation.question], show_progress="hidden", **_QUIET
    )


def _lend(lab: Lab, run_id: str | None) -> None:
    """All slices that the visitor's quota gives, in the event of the visitor, whose quota it is."""
    for status in lab.lend(_chosen(lab, run_id).id):
        if not status.is_over:
            gr.Info(f"{status.progress:.0%} done; it goes on with the next slice.")


def _chosen(lab: Lab, run_id: str | None) -> Run:
    if not run_id:
        raise InputError("no run is open", field="run", fix="choose one, or launch one")
    return lab.run(run_id)

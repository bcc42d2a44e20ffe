"""Systems that answer one after another, watched while they decode."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

from mtlab.errors import MtlabError
from mtlab.lab import Lab
from mtlab.results.showing import Answer, Showing

DRAFT_SECONDS = 0.15
"""A draft is shown no sooner than so long after the last; decoding does not wait for it."""


def watch(lab: Lab, showing: Showing) -> Iterator[Showing]:
    """The showing as its answers come in; a system that fails does not keep the others from theirs.

    Args:
        lab: whose systems they are.
        showing: in which every system waits.
    """
    yield showing
    for number, waiting in enumerate(showing.answers):
        for answer in _answered(lab, showing, waiting):
            showing = showing.with_answer(number, answer)
            yield showing


def _answered(lab: Lab, showing: Showing, answer: Answer) -> Iterator[Answer]:
    from mtlab.scoring.sentence import remarks  # loads its language model: half a second, once

    yield replace(answer, stage="loading")
    try:
        drafts = lab.stream(answer.system, showing.source, showing.direction)
        answer = replace(answer, stage="decoding")
        yield answer
        started = told = time.monotonic()
        for draft in drafts:
            now = time.monotonic()
            answer = replace(answer, text=draft.text, tokens=draft.tokens, seconds=now - started)
            if now - told >= DRAFT_SECONDS:
                told = now
                yield answer
        if draft.note is not None:
            yield replace(answer, stage="failed", problem=draft.note)
            return
        found = remarks(
            showing.source, draft.text, showing.direction, showing.reference, draft.ended
        )
        yield replace(answer, stage="done", remarks=found)
    except MtlabError as error:
        yield replace(answer, stage="failed", problem=str(error))


def stopped(showing: Showing) -> Showing:
    """The showing after a visitor stopped it: what was not answered yet will not be."""
    for number, answer in enumerate(showing.answers):
        if answer.stage not in ("done", "failed"):
            stop = replace(answer, stage="failed", problem="stopped")
            showing = showing.with_answer(number, stop)
    return showing

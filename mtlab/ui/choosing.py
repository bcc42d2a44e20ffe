"""Runs and systems as the choices of a dropdown."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mtlab.errors import InputError
from mtlab.lab import Lab, Run
from mtlab.methods import NONE, OUTPUTS
from mtlab.presets import RUN
from mtlab.results.labels import base_label, spec_label
from mtlab.runs.store import RunRecord

# Choices change as runs finish, and Gradio refuses a value it has not yet seen among them; what
# comes in is checked by the lab anyway, so the check is left to it.
CHOOSE_ONLY: dict[str, Any] = {"allow_custom_value": True}


def finished_choices(lab: Lab) -> list[tuple[str, str]]:
    """Runs that have translated their test set, as (label, id), newest first."""
    return [(label_of(run), run.id) for run in lab.runs() if run.status().state == "finished"]


def system_choices(lab: Lab) -> list[tuple[str, str]]:
    """What can translate live, as (label, what the lab calls it): the untuned bases of the lab's
    runs, the bundled one first, and the runs that can be asked again, newest first.
    """
    runs = lab.runs()
    bases = {"nano": None, **{run.spec.base: None for run in runs if _has_prompted_base(run)}}
    untuned = [(f"{base_label(base)}, untuned", f"base:{base}") for base in bases]
    return [*untuned, *((label_of(run), run.id) for run in runs if _can_be_asked(run))]


def offered(lab: Lab, models: Iterable[str]) -> list[tuple[str, str]]:
    """Systems as `system_choices` has them, each once; nothing else is ever loaded for a visitor.

    Raises:
        InputError: one of them is not offered.
    """
    names = {model: label for label, model in system_choices(lab)}
    for model in models:
        if model not in names:
            raise InputError(
                f"'{model}' is not a system of this lab",
                field="system",
                fix="choose an untuned base or a run that has finished or was stopped",
            )
    return [(names[model], model) for model in dict.fromkeys(models)]


def newest_finished(lab: Lab) -> str | None:
    """The newest finished run that can translate; None where there is none."""
    for run in lab.runs():
        if run.status().state == "finished" and _can_be_asked(run):
            return run.id
    return None


def _has_prompted_base(run: Run) -> bool:
    """Whether its base, untuned, is a system of its own; what a run made is that run."""
    return run.spec.training.method != NONE and not run.spec.base.startswith(RUN)


def _can_be_asked(run: Run) -> bool:
    if run.status().state not in ("finished", "stopped") or run.spec.base.startswith(OUTPUTS):
        return False
    saved = any((run.folder / name).is_dir() for name in ("model", "adapter"))
    return saved or not run.spec.training.trains


def label_of(run: Run | RunRecord) -> str:
    """A run in one line: its name, base, size, directions, noise and id."""
    name = f"{run.spec.name}: " if run.spec.name else ""
    return f"{name}{spec_label(run.spec)} ({run.id})"

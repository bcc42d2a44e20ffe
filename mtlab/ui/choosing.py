"""Runs and systems as the choices of a dropdown."""

from __future__ import annotations

from typing import Any

from mtlab.lab import Lab, Run
from mtlab.methods import OUTPUTS
from mtlab.results.labels import base_label

# Choices change as runs finish, and Gradio refuses a value it has not yet seen among them; what
# comes in is checked by the lab anyway, so the check is left to it.
CHOOSE_ONLY: dict[str, Any] = {"allow_custom_value": True}


def run_choices(lab: Lab) -> list[tuple[str, str]]:
    """Every run as (label, id), newest first."""
    return [(label_of(run), run.id) for run in lab.runs()]


def finished_choices(lab: Lab) -> list[tuple[str, str]]:
    """Runs that have translated their test set, as (label, id), newest first."""
    return [(label_of(run), run.id) for run in lab.runs() if run.status().state == "finished"]


def system_choices(lab: Lab) -> list[tuple[str, str]]:
    """What can translate live: the bundled base model and every run that can be asked again."""
    kept = {"finished", "stopped"}
    runs = [
        run
        for run in lab.runs()
        if run.status().state in kept and not run.spec.base.startswith(OUTPUTS)
    ]
    return [("nano, untuned", "base:nano"), *((label_of(run), run.id) for run in runs)]


def label_of(run: Run) -> str:
    """A run in one line: its name, base, size, directions, noise and id."""
    spec = run.spec
    noise = f", {spec.noise.kind} noise on {spec.noise.side}" if spec.noise.active else ""
    name = f"{spec.name}: " if spec.name else ""
    parts = (base_label(spec.base), spec.amount, " ".join(map(str, spec.train)))
    return f"{name}{', '.join(part for part in parts if part)}{noise} ({run.id})"

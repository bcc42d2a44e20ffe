"""A run's events as a person follows them: loss by step, probes, samples by step, notes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from mtlab.runs.events import Event

Row = TypeVar("Row")


@dataclass(frozen=True)
class TrainingLog:
    """What training has said so far.

    A run that was resumed repeats the steps after its checkpoint; the last telling counts.

    Attributes:
        steps: `step` events by rising step.
        probes: `probe` events by rising step.
        samples: by rising step, the `sample` events of its probe.
        notes: what a person should know, each once.
    """

    steps: tuple[dict[str, Any], ...] = ()
    probes: tuple[dict[str, Any], ...] = ()
    samples: dict[int, tuple[dict[str, Any], ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def training_log(events: Iterable[Event]) -> TrainingLog:
    """Read a run's events; those of other kinds, or without their step, are passed over."""
    steps: dict[int, dict[str, Any]] = {}
    probes: dict[int, dict[str, Any]] = {}
    samples: dict[int, dict[tuple[Any, Any], dict[str, Any]]] = {}
    notes: dict[str, None] = {}
    for event in events:
        step = event.get("step")
        if event.kind == "note":
            notes[str(event.get("text"))] = None
        elif not isinstance(step, int):
            continue
        elif event.kind == "step":
            steps[step] = event.data
        elif event.kind == "probe":
            probes[step] = event.data
        elif event.kind == "sample":
            one = (event.get("direction"), event.get("source"))
            samples.setdefault(step, {})[one] = event.data
    return TrainingLog(
        tuple(steps[step] for step in sorted(steps)),
        tuple(probes[step] for step in sorted(probes)),
        {step: tuple(samples[step].values()) for step in sorted(samples)},
        tuple(notes),
    )


def thinned(rows: Sequence[Row], most: int) -> list[Row]:
    """At most so many of the rows, at even distances, the first and the last among them."""
    if len(rows) <= most:
        return list(rows)
    last = len(rows) - 1
    return [rows[round(place * last / (most - 1))] for place in range(most)]

"""A part of a tab that one poll keeps up to date together with the tab's other parts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from mtlab.results.overview import Snapshot


@dataclass(frozen=True)
class Part:
    """Components, and what has changed in them for one visitor.

    Attributes:
        inputs: what the part needs to know of the visitor.
        outputs: what may change.
        changes: given the runs as they are now and the inputs' values, a value for each output;
            `gr.skip()` where nothing has changed.
    """

    inputs: list[Any]
    outputs: list[Any]
    changes: Callable[..., Sequence[Any]]

    @property
    def unchanged(self) -> list[Any]:
        """Skips all outputs."""
        return [gr.skip()] * len(self.outputs)


def all_changes(parts: Sequence[Part], snapshot: Snapshot, values: Sequence[Any]) -> list[Any]:
    """The changes of several parts, their inputs and outputs one after the other."""
    changed: list[Any] = []
    given = list(values)
    for part in parts:
        own, given = given[: len(part.inputs)], given[len(part.inputs) :]
        changed += part.changes(snapshot, *own)
    return changed

"""What one tab asks of another: one value a question, so that no tab knows another's components.

A tab writes `asked(value)` into a wire; the tab that answers listens to the wire's change, and the
page brings that tab to the front.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, NamedTuple

import gradio as gr


class Asked(NamedTuple):
    """A question; `at` makes two alike ones differ, so that asking twice is heard twice."""

    value: Any
    at: int


def asked(value: Any) -> Asked:
    """The value, to be written into a wire."""
    return Asked(value, time.monotonic_ns())


@dataclass(frozen=True)
class Wires:
    """The wires of one page; each holds an `Asked`, or None before the first question.

    Attributes:
        open_run: a run's id: show it in Runs.
        clone: a spec's plain values (`RunSpec.to_json`, whole or in part): fill Launch with them;
            what a part leaves out stays as it is in the form.
        compare: ids of runs: show them in Compare.
    """

    open_run: gr.State
    clone: gr.State
    compare: gr.State

    @classmethod
    def made(cls) -> Wires:
        """New wires, inside the page's `gr.Blocks`."""
        return cls(gr.State(None), gr.State(None), gr.State(None))

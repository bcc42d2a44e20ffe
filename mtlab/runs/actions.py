"""What a person can do with a run as it stands now."""

from __future__ import annotations

from typing import Literal

from mtlab.halving import Part, can_halve
from mtlab.runs.devices import LENT
from mtlab.runs.explaining import tells_of_memory
from mtlab.runs.status import RESUMABLE, Status
from mtlab.spec import RunSpec

Action = Literal["stop", "discard", "resume", "halve", "lend", "clone", "compare", "delete"]


def possible(spec: RunSpec, status: Status, *, stopping: bool = False) -> frozenset[Action]:
    """The actions that make sense now.

    Args:
        spec: the run's, complete, with the batches that it had (`fitting.as_used`).
        status: how it stands.
        stopping: it was asked to end and has not yet.
    """
    actions: set[Action] = {"clone"}
    if not status.is_over and not stopping:
        actions |= {"stop", "discard"}
    if status.state == "queued" and status.wants == LENT:
        actions.add("lend")
    if status.state in RESUMABLE:
        actions.add("resume")
    if status.state == "finished":
        actions.add("compare")
    if status.is_over:
        actions.add("delete")
    part: Part = "training" if spec.training.trains else "decoding"
    if status.state in RESUMABLE and tells_of_memory(status.error) and can_halve(spec, part):
        actions.add("halve")
    return frozenset(actions)

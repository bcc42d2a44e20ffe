"""What the home may ask of a remote job, and how that can fail."""

from __future__ import annotations

from typing import Any, Protocol

from mtlab.runs.placement import Placement


class Lost(Exception):
    """The actor, or the node it was on, is gone."""


class Silent(Exception):
    """There was no answer in time; there may be one yet."""


class Refused(Exception):
    """It was tried there, and failed: says why."""


class Answer(Protocol):
    """What a remote job will have answered."""

    def wait(self, seconds: float) -> Any:
        """The answer; raises `Lost`, `Silent` or `Refused`."""


class Far(Protocol):
    """One remote job."""

    def ask(self, method: str, *arguments: Any) -> Answer:
        """Call a method of `RemoteJob`, or of the `KeptJob` that took over; returns at once."""


class Jobs(Protocol):
    """The remote jobs of one home on one cluster."""

    def hire(self, name: str, run: str, placement: Placement) -> Far:
        """The job of that name; made, and placed as soon as there is room, where it is not there.

        Raises:
            Lost: the cluster does not take it.
        """

    def find(self, name: str) -> Far | None:
        """The job of that name, if there is one."""

    def kept(self, name: str) -> Far | None:
        """What has taken over from the job of that name: its run has ended, its place is free."""

    def let_go(self, name: str) -> None:
        """End a job, whatever it does, and what has taken over from it."""

    def names(self) -> set[str]:
        """All jobs that there are."""

    def slots(self, placement: Placement) -> int:
        """How many runs of that size fit on the cluster at once, now."""


PATIENCE = 120.0
"""Seconds for an answer that moves a piece of a file or reads what has happened."""


def call(far: Far, method: str, *arguments: Any, seconds: float = PATIENCE) -> Any:
    """Ask and wait; raises as `Answer.wait`."""
    return far.ask(method, *arguments).wait(seconds)

"""What `status.json` says: the state of a run, now."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal, get_args

from pydantic import TypeAdapter

from mtlab.halving import Part
from mtlab.runs.placement import RAY

State = Literal["queued", "running", "finished", "stopped", "failed", "interrupted"]
Phase = Literal["prepare", "load", "base", "train", "decode", "score"]

PHASES: tuple[Phase, ...] = get_args(Phase)
STATES: tuple[State, ...] = get_args(State)
ENDED: frozenset[State] = frozenset({"finished", "stopped", "failed", "interrupted"})
MOST_REQUEUES = 2
"""How often an interrupted run is queued again by itself, counted anew when a person resumes it."""

RESUMABLE: frozenset[State] = frozenset({"stopped", "failed", "interrupted"})


@dataclass(frozen=True)
class Status:
    """One reading of a run.

    Attributes:
        id: the run.
        state: `queued -> running -> finished | stopped | failed | interrupted`.
        phase: what the job does now, or did last; None before it began.
        progress: 0 to 1 over all phases.
        detail: a few words for people, such as "step 12 of 40".
        pid: the job's process, and with it its process group.
        started: when that process started, as `identity.start_mark` writes it; with `pid` and
            `token` it names one process for ever.
        token: the word in the job's arguments; a new one for every attempt.
        host: the machine it was launched on, as `identity.this_host` names it.
        device: "cpu" or "cuda:0"; of several "cuda:0,cuda:1".
        devices: how many devices share its work: what its spec says, or whoever resumed it.
        heartbeat: when the job last said that it lives (seconds since 1970).
        error: `{what, why, fix}` when it failed.
        ending: the end the job has declared, while its process is not yet gone.
        seconds: how long each phase took, added up over attempts.
        attempts: how often it was launched.
        needs: the runs that must have finished before it starts.
        queued: its place in the queue, the smaller first: when it was queued, unless it was moved.
        wants: the device it is to run on, or so many of them; None for any of this machine, `ray`
            for a cluster.
        priority: higher ones come before all lower ones.
        requeues: how often it may still be queued again by itself when it is interrupted.
        halved: the parts whose batch was halved when memory had run out, `training` or `decoding`.
        since: the number of the last event before this attempt.
        memory_mb: the job's largest resident size so far.
        created, began, ended: seconds since 1970.
        owner: who launched it over the network, by the name they had signed in with; None where
            that was the machine's own user, or nobody was asked who they are.
    """

    id: str
    state: State = "queued"
    phase: Phase | None = None
    progress: float = 0.0
    detail: str = ""
    pid: int | None = None
    started: str | None = None
    token: str | None = None
    host: str | None = None
    device: str | None = None
    devices: int = 1
    heartbeat: float | None = None
    error: dict[str, str | None] | None = None
    ending: State | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    attempts: int = 0
    needs: tuple[str, ...] = ()
    queued: float | None = None
    wants: str | None = None
    priority: int = 0
    requeues: int = 0
    halved: tuple[Part, ...] = ()
    since: int = 0
    memory_mb: float | None = None
    created: float = 0.0
    began: float | None = None
    ended: float | None = None
    owner: str | None = None

    @property
    def is_over(self) -> bool:
        """Whether it neither waits nor runs, and will not by itself."""
        return self.state in ENDED and not self.goes_on

    @property
    def goes_on(self) -> bool:
        """Whether it was interrupted and will be queued again by itself."""
        return self.state == "interrupted" and self.requeues > 0

    @property
    def is_elsewhere(self) -> bool:
        """Whether it is a cluster's to do, and not one of this machine's devices."""
        return self.wants == RAY

    @property
    def sentence(self) -> str:
        """The error as one sentence; empty without one."""
        if not self.error or not self.error.get("what"):
            return ""
        why, fix = self.error.get("why"), self.error.get("fix")
        text = str(self.error["what"]).rstrip(".") + (f" ({why.rstrip('.')})" if why else "")
        return f"{text}: {fix.rstrip('.')}." if fix else f"{text}."

    def with_changes(self, **changes: Any) -> Status:
        """The same reading with some attributes changed."""
        return replace(self, **changes)

    def launched(self, token: str, host: str, device: str, since: int) -> Status:
        """A run that waited as its next attempt begins.

        Args:
            token: of the attempt.
            host: the machine it is launched on.
            device: which it holds.
            since: the number of its last event so far.
        """
        now = time.time()
        return self.with_changes(
            state="running", token=token, pid=None, started=None, host=host, device=device,
            attempts=self.attempts + 1, since=since, began=now, heartbeat=now, detail="",
            error=None, ending=None, ended=None,
        )  # fmt: skip

    def queued_again(self) -> Status:
        """A run that was over as it waits again, without what was its last attempt's."""
        return self.with_changes(
            state="queued", pid=None, started=None, token=None, host=None, device=None,
            error=None, ending=None, ended=None, detail="",
        )  # fmt: skip

    def to_json(self) -> dict[str, Any]:
        """The reading as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Status:
        """Read what `to_json` wrote; fields of a later version are left out.

        Raises:
            ValueError: no id, a state there is not, or a field of another kind.
        """
        known = {name.name for name in fields(cls)}
        kept = {key: value for key, value in data.items() if key in known}
        if not isinstance(kept.get("id"), str) or kept.get("state") not in STATES:
            raise ValueError("not a status")
        for name in ("needs", "halved"):
            kept[name] = kept.get(name) or ()
        return _READER.validate_python(kept)


_READER = TypeAdapter(Status)

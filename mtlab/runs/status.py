"""What `status.json` says: the state of a run, now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal, get_args

State = Literal["queued", "running", "finished", "stopped", "failed", "interrupted"]
Phase = Literal["prepare", "load", "base", "train", "decode", "score"]

PHASES: tuple[Phase, ...] = get_args(Phase)
STATES: tuple[State, ...] = get_args(State)
ENDED: frozenset[State] = frozenset({"finished", "stopped", "failed", "interrupted"})
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
        device: "cpu" or "cuda:0".
        heartbeat: when the job last said that it lives (seconds since 1970).
        error: `{what, why, fix}` when it failed.
        ending: the end the job has declared, while its process is not yet gone.
        seconds: how long each phase took, added up over attempts.
        attempts: how often it was launched.
        since: the number of the last event before this attempt.
        memory_mb: the job's largest resident size so far.
        created, began, ended: seconds since 1970.
    """

    id: str
    state: State = "queued"
    phase: Phase | None = None
    progress: float = 0.0
    detail: str = ""
    pid: int | None = None
    started: str | None = None
    token: str | None = None
    device: str | None = None
    heartbeat: float | None = None
    error: dict[str, str | None] | None = None
    ending: State | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    attempts: int = 0
    since: int = 0
    memory_mb: float | None = None
    created: float = 0.0
    began: float | None = None
    ended: float | None = None

    @property
    def is_over(self) -> bool:
        """Whether it neither waits nor runs."""
        return self.state in ENDED

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

    def to_json(self) -> dict[str, Any]:
        """The reading as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Status:
        """Read what `to_json` wrote; fields of a later version are left out.

        Raises:
            ValueError: no id, or a state there is not.
        """
        known = {name.name for name in fields(cls)}
        kept = {key: value for key, value in data.items() if key in known}
        if not isinstance(kept.get("id"), str) or kept.get("state") not in STATES:
            raise ValueError("not a status")
        return cls(**kept)

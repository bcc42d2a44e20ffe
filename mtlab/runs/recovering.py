"""A run's status when `status.json` is gone or unreadable: told from what else lies in its folder.

A power cut may leave an empty file, a hand a broken one. The run is not lost for that: its log says
how far it came, and one that was not over is a person's to resume.
"""

from __future__ import annotations

from pathlib import Path

from mtlab.runs.events import EventLog
from mtlab.runs.files import read_json
from mtlab.runs.identity import ProcessIdentity, find_by_token, find_in_folder
from mtlab.runs.needs import named_runs
from mtlab.runs.placement import RAY, placement_of
from mtlab.runs.settling import can_resume, settled
from mtlab.runs.status import State, Status
from mtlab.spec import RunSpec

_LOST = {
    "what": "its status.json was lost",
    "why": None,
    "fix": "resume it: it goes on from what it had saved",
}


def recovered(run: str, folder: Path, spec: RunSpec, log: EventLog) -> Status:
    """The status of a run, as far as it can be told; one whose process lives runs.

    Args:
        run: its id.
        folder: where it lies.
        spec: as it was launched.
        log: its events.
    """
    events = log.read()
    last = events[-1] if events else None
    facts = read_json(folder / "provenance.json") or {}
    created, seconds = facts.get("created"), facts.get("seconds")
    process = process_of(folder)
    status = Status(
        run,
        phase=next((one.get("phase") for one in reversed(events) if one.kind == "phase"), None),
        seconds=seconds if isinstance(seconds, dict) else {},
        attempts=sum(one.get("phase") == "prepare" for one in events if one.kind == "phase"),
        created=float(created) if isinstance(created, int | float) else folder.stat().st_mtime,
        needs=named_runs(spec) if not events else (),
        devices=spec.devices,
        ended=last.time if last is not None else None,
        wants=RAY if placement_of(folder) is not None else None,
    )
    if process is not None:
        since = max((one.seq for one in events if one.kind == "end"), default=0)
        return status.with_changes(
            state="running", pid=process.pid, started=process.started, token=process.token,
            since=since, ended=None,
        )  # fmt: skip
    if last is None:
        return status  # it had not begun: it waits
    if last.kind == "end":
        ended = settled(status.with_changes(state="running"), folder, log, exit_code=0)
        return ended.with_changes(progress=1.0 if ended.state == "finished" else 0.0)
    state: State = "interrupted" if can_resume(folder) else "failed"
    return status.with_changes(state=state, error=dict(_LOST), since=last.seq)


def process_of(folder: Path) -> ProcessIdentity | None:
    """The process that does the run in a folder: its path is among the arguments, or, of one that
    stood ready before there was a run, it is where the process works.
    """
    return find_by_token(str(folder)) or find_in_folder(folder)

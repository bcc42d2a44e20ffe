"""What became of a run whose process is gone: read from what it left, never guessed as running.

A run's end is an event. A process that died without writing one was interrupted when a complete
checkpoint lies there to go on from, was stopped when a person had asked for that, and failed
otherwise, with what its exit and its log say.
"""

from __future__ import annotations

import signal
import time
from pathlib import Path

from mtlab.runs.events import EventLog
from mtlab.runs.files import is_full, read_json
from mtlab.runs.identity import ProcessIdentity, find_by_token, is_this_machine
from mtlab.runs.status import STATES, State, Status
from mtlab.secrecy import redacted

LAUNCH_SECONDS = 20.0
"""How long a launched process may take to say that it lives before it counts as gone."""

SILENT_SECONDS = 60.0
"""How long a run elsewhere may be silent before it counts as gone."""

ATTEMPT = "--- attempt "
"""How the line in `job.log` begins that stands before what an attempt prints."""

EXIT_DISK_FULL = 28
"""How a job exits that could not even write its end down."""

# What `mtlab.training` asks of a checkpoint; that module imports torch, and this one must not.
_CHECKPOINT_PARTS = ("optimizer.pt", "scheduler.pt", "rng_state.pth")


def mark_attempt(folder: Path, attempt: int) -> None:
    """Part in `job.log` what an attempt prints from what the one before it did.

    Raises:
        OSError: it cannot be written.
    """
    with open(folder / "job.log", "ab", buffering=0) as log:
        log.write(f"{ATTEMPT}{attempt}\n".encode())


def identity_of(status: Status) -> ProcessIdentity | None:
    """The process of a running status; None while it is not known or was never there."""
    if status.pid is not None:
        return ProcessIdentity(status.pid, status.started, status.token)
    return find_by_token(status.token) if status.token else None


def is_gone(status: Status) -> bool:
    """Whether nothing of a running run's process group lives any more.

    Of a run on another machine, or in another container, that shares the home, only its heartbeat
    is seen from here. Of a run on a cluster nothing is: whoever watches that writes its end down.
    """
    if status.is_elsewhere:
        return status.state != "running"
    if status.host is not None and not is_this_machine(status.host):
        heard = status.heartbeat or status.began or 0.0
        return abs(time.time() - heard) > SILENT_SECONDS  # abs: the clock may have been set back
    identity = identity_of(status)
    if identity is None:
        return abs(time.time() - (status.began or 0.0)) > LAUNCH_SECONDS  # or the clock was set
    return not identity.is_alive() and not identity.group()


def settled(status: Status, folder: Path, log: EventLog, *, exit_code: int | None = None) -> Status:
    """The status as it is: unchanged while the run waits, lives or is over, else how it ended.

    Args:
        status: what `status.json` says.
        folder: the run's folder.
        log: its event log.
        exit_code: how its process exited, where the caller knows; then it is known to be gone.
            Without it, a run that never said that it lives is left for the supervisor to decide.
    """
    if status.state != "running":
        return status
    if exit_code is None and (status.pid is None or not is_gone(status)):
        return status
    new = [event for event in log.read(status.since)]
    end = next((event for event in reversed(new) if event.kind == "end"), None)
    if end is not None and end.get("state") in STATES:
        error = next((event for event in reversed(new) if event.kind == "error"), None)
        return status.with_changes(
            state=end["state"],
            ended=end.time,
            error=_error(error.data) if error and end["state"] == "failed" else None,
        )
    ended = status.heartbeat or status.began or time.time()
    if (folder / "stop.json").exists():
        return status.with_changes(state="stopped", ended=ended)
    cause = _cause(exit_code, folder / "job.log")
    state: State = "interrupted" if can_resume(folder) else "failed"
    phase = f" while it was in the phase '{status.phase}'" if status.phase else " as it began"
    fix = "resume it" if state == "interrupted" else "see job.log in its folder, then resume it"
    error_now = {"what": f"the run's process ended{phase}", "why": cause, "fix": fix}
    return status.with_changes(state=state, ended=ended, error=error_now)


def can_resume(folder: Path) -> bool:
    """Whether training can go on from a complete checkpoint, or is already done; of a run that
    trains nothing, whether any segment is translated.
    """
    return (
        (folder / "trained.json").exists()
        or any(folder.glob("translations/*.jsonl"))
        or any(folder.glob("partial/*.jsonl"))
        or any(is_complete_checkpoint(place) for place in folder.glob("checkpoint-*"))
    )


def is_complete_checkpoint(folder: Path) -> bool:
    """Whether a checkpoint folder has all its parts, the one that is written last unbroken."""
    state = read_json(folder / "trainer_state.json")
    if state is None or folder.name != f"checkpoint-{state.get('global_step')}":
        return False
    has_parts = all((folder / name).is_file() for name in _CHECKPOINT_PARTS)
    return has_parts and any(folder.glob("*.safetensors"))


def _error(data: dict[str, object]) -> dict[str, str | None]:
    return {
        name: None if data.get(name) is None else str(data[name]) for name in ("what", "why", "fix")
    }


def _cause(exit_code: int | None, log: Path) -> str | None:
    tail = _tail(log)
    low = tail.lower()
    if exit_code == EXIT_DISK_FULL or "no space left on device" in low:
        return "the disk is full"
    if "out of memory" in low or "memoryerror" in low or "cannot allocate memory" in low:
        return "memory ran out"
    if exit_code == -signal.SIGKILL:
        return "it was killed, most often because the machine's memory ran out"
    if exit_code is not None and exit_code < 0:
        return f"it was ended by {signal.Signals(-exit_code).name}"
    if exit_code is None and is_full(log.parent):
        return "the disk is full"  # so full that it could not even say so
    lines = [line.strip() for line in tail.splitlines() if line.strip()]
    if lines and exit_code != 0:
        return redacted(lines[-1][:300])
    return "it was killed or the machine restarted" if exit_code is None else None


def _tail(path: Path, size: int = 4096) -> str:
    """The end of what the last attempt printed."""
    try:
        with open(path, "rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - size))
            text = file.read().decode(errors="replace")
    except OSError:
        return ""
    _, mark, own = text.rpartition(ATTEMPT)
    return own.partition("\n")[2] if mark else text


def stop_request(folder: Path) -> tuple[float, bool] | None:
    """When a person asked a run to stop and whether to keep what there is; None if none did."""
    path = folder / "stop.json"
    try:
        asked = path.stat().st_mtime
    except OSError:
        return None
    data = read_json(path) or {}
    when = data.get("time")
    return (float(when) if isinstance(when, int | float) else asked, data.get("keep") is not False)

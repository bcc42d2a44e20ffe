"""Seeing a running run to its end: the stop ladder, and writing down what became of it.

The ladder: the stop file asks; SIGTERM asks again; SIGKILL ends the whole process group; and only
when nothing of the group lives is the run said to have stopped. Any process may attend any run,
several at once: every step is either harmless when repeated or decided in the database.
"""

from __future__ import annotations

import contextlib
import signal
import time
from dataclasses import dataclass

from mtlab.runs.database import enter
from mtlab.runs.identity import ProcessIdentity
from mtlab.runs.settling import identity_of, is_gone, settled, stop_request
from mtlab.runs.status import ENDED, Status
from mtlab.runs.store import RunStore

_MOST_SEEN = 1000
_SEEN: dict[tuple[str, object], float] = {}
"""When this process first saw a request to stop, or what a run's process has left behind, on a
clock that nobody sets."""


@dataclass(frozen=True)
class Patience:
    """Seconds each step of the ladder is given.

    Attributes:
        asked: after the stop file, before SIGTERM.
        terminated: after SIGTERM, to save and end, before SIGKILL.
        lingering: after a run's end event, before its process is ended; and after its process is
            gone, before what that started is.
    """

    asked: float = 30.0
    terminated: float = 120.0
    lingering: float = 10.0


def attend(
    store: RunStore,
    run: str,
    *,
    patience: Patience | None = None,
    exit_code: int | None = None,
) -> Status | None:
    """Move a run one step towards its end, if it has one to go.

    Args:
        store: the home's runs.
        run: its id.
        patience: the ladder's waiting times.
        exit_code: how its process exited, where the caller is its parent.

    Returns:
        The status as it stands afterwards; None when the run's folder is gone.

    Raises:
        OSError: the end could not be written (a full disk); nothing is lost, ask again later.
    """
    status = store.written_status(run)
    if status is None:
        return None
    folder = store.folder(run)
    wait = patience or Patience()
    if status.state == "running":
        request = stop_request(folder)
        if request is not None and exit_code is None:
            _climb(identity_of(status), _waited(run, request[0]), wait)
        if exit_code is None:
            _end_leftovers(store, status, wait)
        outcome = settled(status, folder, store.log(run), exit_code=exit_code)
        if outcome is status:
            return status
        return _write_down(store, outcome)
    if status.state in ENDED and exit_code is None:
        _end_lingering(status, wait)
    return status


def _waited(run: str, asked: float) -> float:
    """Seconds since a stop was asked for: by the clock, or since this process first saw it, should
    the clock have been set back.
    """
    now = time.monotonic()
    while len(_SEEN) > _MOST_SEEN:
        _SEEN.pop(next(iter(_SEEN)), None)
    return max(time.time() - asked, now - _SEEN.setdefault((run, asked), now))


def _end_leftovers(store: RunStore, status: Status, patience: Patience) -> None:
    """End what goes on of a run that is over: a process that hangs after its end event though its
    status could not be written, or what a dead one had started.
    """
    if status.pid is None:
        return
    identity = ProcessIdentity(status.pid, status.started, status.token)
    seen = (status.id, status.token)
    events = store.log(status.id).read(status.since)
    if identity.is_alive() and not (events and events[-1].kind == "end"):
        _SEEN.pop(seen, None)
        return
    now = time.monotonic()
    if identity.group() and now - _SEEN.setdefault(seen, now) >= patience.lingering:
        identity.signal_group(signal.SIGKILL)


def _climb(identity: ProcessIdentity | None, waited: float, patience: Patience) -> None:
    """Signal as hard as the time since the request allows."""
    if identity is None or waited < patience.asked:
        return
    hard = waited >= patience.asked + patience.terminated
    identity.signal_group(signal.SIGKILL if hard else signal.SIGTERM)


def _end_lingering(status: Status, patience: Patience) -> None:
    """End a process that goes on after its end event."""
    since = abs(time.time() - (status.ended or 0.0))  # the clock may have been set back
    if status.pid is None or since < patience.lingering:
        return
    if not is_gone(status):
        ProcessIdentity(status.pid, status.started, status.token).signal_group(signal.SIGKILL)


def _write_down(store: RunStore, status: Status) -> Status | None:
    """Make an end that was found out the written one."""
    run = status.id
    request = stop_request(store.folder(run))
    if request is not None and not request[1]:
        store.discard(run)
        return None
    with store.database.transaction() as connection:
        # The transaction is the lock: who resumes the run holds it, too, so that neither the end
        # of an attempt nor the beginning of the next is written over the other.
        now = store.written_status(run)
        if now is None or now.state != "running" or now.token != status.token:
            return now
        log = store.log(run)
        if not any(event.kind == "end" for event in log.read(status.since)):
            # The end stands in status.json even where the log cannot take another line.
            with contextlib.suppress(OSError):
                if status.error:
                    log.append("error", **status.error)
                log.append("end", state=status.state)
        store.write_status(run, status)
        enter(connection, status)
        # Nothing of it lives, so its device is free.
        connection.execute("DELETE FROM leases WHERE run = ? AND token IS ?", (run, status.token))
    return status

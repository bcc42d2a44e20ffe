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

from mtlab.runs.database import insert
from mtlab.runs.identity import ProcessIdentity
from mtlab.runs.settling import identity_of, is_gone, settled, stop_request
from mtlab.runs.status import Status
from mtlab.runs.store import RunStore


@dataclass(frozen=True)
class Patience:
    """Seconds each step of the ladder is given.

    Attributes:
        asked: after the stop file, before SIGTERM.
        terminated: after SIGTERM, to save and end, before SIGKILL.
        lingering: after a run's end event, before its process is ended.
    """

    asked: float = 30.0
    terminated: float = 30.0
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
            _climb(identity_of(status), request[0], wait)
        outcome = settled(status, folder, store.log(run), exit_code=exit_code)
        if outcome is status:
            return status
        return _write_down(store, outcome)
    if status.is_over and exit_code is None:
        _end_lingering(status, wait)
    return status


def _climb(identity: ProcessIdentity | None, asked: float, patience: Patience) -> None:
    """Signal as hard as the time since the request allows. A clock set back only delays it."""
    waited = time.time() - asked
    if identity is None or waited < patience.asked:
        return
    hard = waited >= patience.asked + patience.terminated
    identity.signal_group(signal.SIGKILL if hard else signal.SIGTERM)


def _end_lingering(status: Status, patience: Patience) -> None:
    """End a process that goes on after its end event."""
    if status.pid is None or time.time() - (status.ended or 0.0) < patience.lingering:
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
        insert(connection, run, status.state, status.created)
        # Nothing of it lives, so its device is free.
        connection.execute("DELETE FROM leases WHERE run = ? AND token IS ?", (run, status.token))
    return status

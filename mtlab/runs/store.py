"""The store of runs: one folder each below `home/runs`, and `lab.db` as the index over them."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import sqlite3
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mtlab.errors import InputError
from mtlab.runs.database import Database, Lease, hold, insert
from mtlab.runs.events import Event, EventLog
from mtlab.runs.files import read_json, write_json, writing
from mtlab.runs.identity import this_host
from mtlab.runs.settling import is_gone, settled
from mtlab.runs.status import RESUMABLE, Status
from mtlab.settings import Settings
from mtlab.spec import RunSpec

_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{4}")
_PREFIX = re.compile(r"[0-9][0-9a-f-]*")
_OPEN_LOGS = 128


@dataclass(frozen=True)
class RunRecord:
    """A run as it was launched: what never changes about it."""

    id: str
    folder: Path
    spec: RunSpec

    @property
    def name(self) -> str:
        """The name a person gave it, else its id."""
        return self.spec.name or self.id


class RunStore:
    """All runs of one home. Any number of processes and threads may use it at once.

    A run folder appears whole (it is made aside and renamed). Every read tolerates a folder that
    was removed by hand and a half-written last line. Imports no torch.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        with writing(settings.home):
            settings.runs.mkdir(parents=True, exist_ok=True)
        self.database = Database(settings.home / "lab.db", self._refill)
        self._lock = threading.Lock()
        self._records: dict[str, RunRecord] = {}
        self._statuses: dict[str, tuple[tuple[int, int], Status]] = {}
        self._logs: OrderedDict[str, EventLog] = OrderedDict()

    def create(self, spec: RunSpec, *, name: str | None = None, priority: int = 0) -> RunRecord:
        """Write a run down, queued.

        Args:
            spec: complete, as `mtlab.defaults.complete` leaves it.
            name: a name for people, in place of the spec's.
            priority: higher ones start first; among equals the older.

        Raises:
            NotAvailable: the home cannot be written or its disk is full; nothing is left behind.
        """
        if name is not None:
            spec = spec.with_changes(name=name)
        now = time.time()
        run = f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime(now))}-{secrets.token_hex(2)}"
        folder = self.folder(run)
        aside = folder.with_name(f".new-{run}")
        with writing(self.settings.home):
            try:
                aside.mkdir()
                write_json(aside / "spec.json", spec.to_json())
                write_json(aside / "status.json", Status(run, created=now).to_json())
                write_json(aside / "provenance.json", _first_provenance(spec, now))
                os.rename(aside, folder)
            except OSError:
                shutil.rmtree(aside, ignore_errors=True)
                raise
        self.database.put(run, "queued", now, priority)
        return RunRecord(run, folder, spec)

    def folder(self, run: str) -> Path:
        """Where a run lies; says nothing about whether it is there."""
        return self.settings.runs / run

    def get(self, run: str) -> RunRecord:
        """The run with this id, or the only one whose id begins so.

        Raises:
            InputError: no run, or several.
        """
        found = [run] if _ID.fullmatch(run) else []
        if not found and _PREFIX.fullmatch(run):
            found = [name for name in self._names() if name.startswith(run)]
        if len(found) > 1:
            raise InputError(
                f"'{run}' begins the ids of {len(found)} runs", field="run", fix="write more of it"
            )
        record = self._record(found[0]) if found else None
        if record is None:
            raise InputError(
                f"there is no run '{run}'", field="run", fix="see 'mtlab runs list' for the ids"
            )
        return record

    def list(self) -> Sequence[RunRecord]:
        """All runs, the newest first."""
        records = (self._record(name) for name in sorted(self._names(), reverse=True))
        return [record for record in records if record is not None]

    def status(self, run: str) -> Status:
        """How a run stands. One whose process is gone is never said to run.

        Raises:
            InputError: there is no such run.
        """
        status = self._read_status(run)
        if status is None:
            run = self.get(run).id
            status = self._read_status(run)
        if status is None:
            raise InputError(f"run '{run}' has no readable status", field="run", fix="delete it")
        return settled(status, self.folder(run), self.log(run))

    def written_status(self, run: str) -> Status | None:
        """What `status.json` says, believed or not; None when it is gone or unreadable."""
        return self._read_status(run)

    def write_status(self, run: str, status: Status, *, durable: bool = True) -> None:
        """Replace `status.json` in one step.

        Raises:
            OSError: the folder is gone or the disk is full; the old status stays.
        """
        write_json(self.folder(run) / "status.json", status.to_json(), durable=durable)

    def log(self, run: str) -> EventLog:
        """The run's event log."""
        with self._lock:
            log = self._logs.pop(run, None) or EventLog(self.folder(run) / "events.jsonl")
            self._logs[run] = log
            while len(self._logs) > _OPEN_LOGS:
                self._logs.popitem(last=False)
            return log

    def events(self, run: str, after: int = 0) -> Sequence[Event]:
        """The events numbered above `after`.

        Raises:
            InputError: there is no such run.
        """
        return self.log(self.get(run).id).read(after)

    def request_stop(self, run: str, keep: bool = True) -> None:
        """Ask a run to end; a queued one ends at once.

        Args:
            run: its id.
            keep: save what there is so that the model can be used and the run resumed; otherwise
                the run is deleted once its process is gone.

        Raises:
            InputError: no such run, or it is over.
            NotAvailable: the request cannot be written.
        """
        run = self.get(run).id
        status = self.status(run)
        if status.is_over:
            raise InputError(
                f"run {run} is already {status.state}", field="run", fix="only a live run stops"
            )
        if self._stop_queued(run, keep):
            return
        with writing(self.settings.home):
            write_json(self.folder(run) / "stop.json", {"keep": keep, "time": time.time()})

    def requeue(self, run: str) -> None:
        """Put a run that stopped, failed or was interrupted back into the queue.

        It goes on from its newest complete checkpoint, and what was translated stays.

        Raises:
            InputError: no such run, or one that waits, runs or has finished.
            NotAvailable: the home cannot be written.
        """
        run = self.get(run).id
        with self.database.transaction() as connection, writing(self.settings.home):
            status = self.status(run)
            if status.state not in RESUMABLE:
                raise InputError(
                    f"run {run} is {status.state}",
                    field="run",
                    fix="only a stopped, failed or interrupted run is resumed",
                )
            (self.folder(run) / "stop.json").unlink(missing_ok=True)
            fresh = status.with_changes(
                state="queued", pid=None, started=None, token=None, device=None, error=None,
                ending=None, ended=None, detail="",
            )  # fmt: skip
            self.write_status(run, fresh)
            insert(connection, run, "queued", status.created)
            if is_gone(status):
                connection.execute("DELETE FROM leases WHERE run = ?", (run,))
            connection.execute("UPDATE runs SET queued = ? WHERE id = ?", (time.time(), run))

    def delete(self, run: str) -> None:
        """Remove a run and everything it made.

        Raises:
            InputError: no such run, or it is running.
            NotAvailable: the folder cannot be removed.
        """
        run = self.get(run).id
        status = self._read_status(run)
        if status is not None and self.status(run).state == "running":
            raise InputError(f"run {run} is running", field="run", fix="stop it first")
        self.discard(run)

    def discard(self, run: str) -> None:
        """Remove a run's folder without asking whether it runs; the caller knows that it is over.

        Raises:
            NotAvailable: the folder cannot be removed.
        """
        folder = self.folder(run)
        trash = folder.with_name(f".gone-{run}")
        with writing(self.settings.home):
            if folder.exists():
                os.rename(folder, trash)
        shutil.rmtree(trash, ignore_errors=True)
        self.database.remove(run)
        with self._lock:
            self._records.pop(run, None)
            self._statuses.pop(run, None)
            self._logs.pop(run, None)

    def rebuild(self) -> int:
        """Make the index again from the folders; returns how many runs it holds."""
        with self.database.transaction() as connection:
            connection.execute("DELETE FROM runs")
            connection.execute("DELETE FROM leases WHERE run IS NOT NULL")
            self._refill(connection)
            return int(connection.execute("SELECT count(*) FROM runs").fetchone()[0])

    def synchronise(self) -> None:
        """Mend the index where it and the folders disagree, such as after changes by hand."""
        known = self.database.states()
        names = self._names()
        held = {lease.run for lease in self.database.leases()}
        for run in known.keys() - names - held:  # a held one's process has to be ended first
            self.database.remove(run)
        for run in names - held:
            status = self._read_status(run)
            if status is not None and status.state != known.get(run):
                self.mend(run)

    def mend(self, run: str) -> None:
        """Enter a run into the index as its folder says, unless a device is held for it."""
        with self.database.transaction() as connection:
            status = self._read_status(run)
            query = "SELECT 1 FROM leases WHERE run = ?"
            if status is not None and connection.execute(query, (run,)).fetchone() is None:
                insert(connection, run, status.state, status.created)

    def _stop_queued(self, run: str, keep: bool) -> bool:
        """Stop a run that waits, if it does; no supervisor takes it meanwhile."""
        with self.database.transaction() as connection, writing(self.settings.home):
            status = self._read_status(run)
            cursor = connection.execute(
                "UPDATE runs SET state = 'stopped' WHERE id = ? AND state = 'queued'", (run,)
            )
            if cursor.rowcount != 1 or status is None:
                return False
            self.log(run).append("end", state="stopped")
            self.write_status(run, status.with_changes(state="stopped", ended=time.time()))
        if not keep:
            self.discard(run)
        return True

    def _refill(self, connection: sqlite3.Connection) -> None:
        for run in self._names():
            status = self._read_status(run)
            if status is None:
                continue
            insert(connection, run, status.state, status.created)
            if status.state == "running" and status.device:
                # Whether its process lives is the supervisor's to find out; until then it holds.
                lease = Lease(status.device, this_host(), run, token=status.token)
                hold(connection, lease)

    def _names(self) -> set[str]:
        try:
            return {name for name in os.listdir(self.settings.runs) if _ID.fullmatch(name)}
        except OSError:
            return set()

    def _record(self, run: str) -> RunRecord | None:
        folder = self.folder(run)
        cached = self._records.get(run)
        if cached is not None:
            return cached if folder.exists() else None
        data = read_json(folder / "spec.json")
        if data is None:
            return None
        try:
            record = RunRecord(run, folder, RunSpec.from_json(data))
        except InputError:
            return None
        self._records[run] = record
        return record

    def _read_status(self, run: str) -> Status | None:
        path = self.folder(run) / "status.json"
        try:
            facts = os.stat(path)
        except OSError:
            return None
        mark = (facts.st_mtime_ns, facts.st_ino)
        cached = self._statuses.get(run)
        if cached is not None and cached[0] == mark:
            return cached[1]
        data = read_json(path)
        try:
            status = Status.from_json(data or {})
        except ValueError:
            return None
        self._statuses[run] = (mark, status)
        return status


def _first_provenance(spec: RunSpec, now: float) -> dict[str, Any]:
    import mtlab
    from mtlab.commands import command_for

    return {
        "mtlab": mtlab.__version__,
        "created": now,
        "command": command_for(spec),
        "seed": spec.seed,
        "python": sys.version.split()[0],
        "platform": sys.platform,
    }

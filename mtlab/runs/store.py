"""The store of runs: one folder each below `home/runs`, and `lab.db` as the index over them."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

from mtlab.errors import InputError, NotAvailable
from mtlab.runs.creating import NewRun, new_ids, write_down
from mtlab.runs.database import enter
from mtlab.runs.devices import LENT, check_share
from mtlab.runs.events import Event, EventLog
from mtlab.runs.files import write_json, writing
from mtlab.runs.folders import RunFolders, RunRecord
from mtlab.runs.index import RunIndex
from mtlab.runs.moving import Where, check_where, moved, slots_of
from mtlab.runs.needs import ID, refuse_hopeless
from mtlab.runs.placement import RAY, Placement, placement_of, write_placement
from mtlab.runs.settling import is_gone, settled
from mtlab.runs.status import MOST_REQUEUES, RESUMABLE, State, Status
from mtlab.settings import Settings
from mtlab.spec import RunSpec

__all__ = ["NewRun", "RunRecord", "RunStore"]

_PREFIX = re.compile(r"[0-9][0-9a-f-]*")
_OPEN_LOGS = 128


class RunStore:
    """All runs of one home. Any number of processes and threads may use it at once.

    A run folder appears whole (it is made aside and renamed). Every read tolerates a folder that
    was removed by hand and a half-written last line. Imports no torch.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        with writing(settings.home):
            settings.runs.mkdir(parents=True, exist_ok=True)
        self._folders = RunFolders(settings.runs)
        self.index = RunIndex(settings, self._folders, self.log)
        self.database = self.index.database
        self._lock = threading.Lock()
        self._token = secrets.token_hex(4)
        self._seen: dict[str, object] = {}
        self._changes = 0
        self._logs: OrderedDict[str, EventLog] = OrderedDict()

    def create(
        self,
        spec: RunSpec,
        *,
        needs: Sequence[str] = (),
        priority: int = 0,
        wants: str | None = None,
    ) -> RunRecord:
        """Write a run down, queued.

        Args:
            spec: complete, as `mtlab.defaults.complete` leaves it.
            needs: ids of the runs that must have finished before it starts.
            priority: higher ones start first; among equals the older.
            wants: the device it is to run on; None for any.

        Raises:
            NotAvailable: the queue is full, or the home cannot be written or its disk is full;
                nothing is left behind.
        """
        run = NewRun(new_ids(self.settings)[0], spec, tuple(needs), priority, wants)
        return self.create_all([run])[0]

    def create_all(self, runs: Sequence[NewRun]) -> list[RunRecord]:
        """Write runs down, queued in their order: all of them or none.

        Raises:
            NotAvailable: as `create`.
        """
        write_down(runs, self.settings, self.database)
        return [RunRecord(run.id, self.folder(run.id), run.spec) for run in runs]

    def folder(self, run: str) -> Path:
        """Where a run lies; says nothing about whether it is there."""
        return self.settings.runs / run

    def get(self, run: str) -> RunRecord:
        """The run with this id, or the only one whose id begins so.

        Raises:
            InputError: no run, or several.
        """
        found = [run] if ID.fullmatch(run) else []
        if not found and _PREFIX.fullmatch(run):
            found = [name for name in self._folders.names() if name.startswith(run)]
        if len(found) > 1:
            raise InputError(
                f"'{run}' begins the ids of {len(found)} runs", field="run", fix="write more of it"
            )
        record = self.find(found[0]) if found else None
        if record is None:
            raise InputError(
                f"there is no run '{run}'", field="run", fix="see 'mtlab runs list' for the ids"
            )
        return record

    def find(self, run: str) -> RunRecord | None:
        """The run with this whole id; None where there is none."""
        is_there = ID.fullmatch(run) and self._folders.has(run)
        return self._folders.record(run) if is_there else None

    def list(self) -> Sequence[RunRecord]:
        """All runs, the newest first."""
        names = sorted(self._folders.names(), reverse=True)
        records = map(self._folders.record, names)
        return [record for record in records if record is not None]

    def status(self, run: str) -> Status:
        """How a run stands. One whose process is gone is never said to run.

        Raises:
            InputError: there is no such run.
        """
        status = self._folders.status(run)
        if status is None:
            run = self.get(run).id
            status = self._folders.status(run)
        if status is None:
            status = self.index.lost_status(run)
        if status is None:
            raise InputError(f"run '{run}' has no readable spec", field="run", fix="delete it")
        if status.state != "running":
            return status
        return settled(status, self.folder(run), self.log(run))

    def mark(self) -> str:
        """A word that is another whenever a run was added, removed or moved in the queue, or its
        state or scores changed since the last call; the same otherwise. Of this store alone.
        """
        seen = {run: self._glance(run) for run in self._folders.names()}
        with self._lock:
            if seen != self._seen:
                self._seen = seen
                self._changes += 1
            return f"{self._token}-{self._changes}"

    def _glance(self, run: str) -> object:
        found = self._folders.glance(run)
        status = found.status if found is not None else None
        if found is None or status is None:
            return None
        if status.state == "running":
            status = settled(status, self.folder(run), self.log(run))
        return status.state, status.queued, status.priority, found.scores

    def written_status(self, run: str) -> Status | None:
        """What `status.json` says, believed or not; None when it is gone or unreadable."""
        return self._folders.status(run)

    def write_status(self, run: str, status: Status, *, durable: bool = True) -> None:
        """Replace `status.json` in one step.

        Raises:
            OSError: the folder is gone or the disk is full; the old status stays.
        """
        self._folders.write_status(run, status, durable=durable)

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
        if self._end_waiting(run, "stopped"):
            if not keep:
                self.discard(run)
            return
        with writing(self.settings.home):
            write_json(self.folder(run) / "stop.json", {"keep": keep, "time": time.time()})

    def requeue(self, run: str, devices: int | None = None) -> None:
        """Put a run that stopped, failed or was interrupted back into the queue.

        It goes on from its newest complete checkpoint, and what was translated stays.

        Args:
            run: its id.
            devices: how many devices share its work from now on; as before when not given.

        Raises:
            InputError: no such run, one that waits, runs or has finished, one that needs a run
                which will not finish, or there are not so many devices.
            NotAvailable: the home cannot be written.
        """
        run = self.get(run).id
        [place] = self.database.back()
        with self.database.transaction() as connection, writing(self.settings.home):
            status = self.status(run)
            if status.state not in RESUMABLE:
                raise InputError(
                    f"run {run} is {status.state}",
                    field="run",
                    fix="only a stopped, failed or interrupted run is resumed",
                )
            refuse_hopeless(self, status)
            fresh = status.queued_again().with_changes(queued=place, requeues=MOST_REQUEUES)
            if devices is not None:
                spec = self.get(run).spec.with_changes(devices=devices)
                if status.wants in (RAY, LENT):
                    fresh = fresh.with_changes(devices=spec.devices)
                    placement = placement_of(self.folder(run))
                    if placement is not None:
                        resized = placement.resized(status.devices, spec.devices)
                        write_placement(self.folder(run), resized)
                else:
                    fresh = fresh.with_changes(devices=spec.devices, wants=None)
            if fresh.wants != RAY:
                check_share(self.get(run).spec.with_changes(devices=fresh.devices), self.settings)
            (self.folder(run) / "stop.json").unlink(missing_ok=True)
            self.write_status(run, fresh)
            enter(connection, fresh)
            if is_gone(status):
                connection.execute("DELETE FROM leases WHERE run = ?", (run,))

    def place(self, run: str, placement: Placement | None, devices: int) -> None:
        """Say where a run that is over goes on when it is queued again.

        Args:
            run: its id.
            placement: where on a cluster; None for this machine.
            devices: how many devices share its work there; a run that was on this machine and
                stays keeps its own.

        Raises:
            InputError: no such run, or one that is not over.
            NotAvailable: the home cannot be written.
        """
        run = self.get(run).id
        wants = None if placement is None else RAY
        with self.database.transaction() as connection, writing(self.settings.home):
            status = self.status(run)
            if not status.is_over:
                fix = "stop it first"
                raise InputError(f"run {run} is {status.state}", field="run", fix=fix)
            if placement is None and not status.is_elsewhere:
                return  # the device that it wants stays the one it wants
            write_placement(self.folder(run), placement)
            status = status.with_changes(wants=wants, devices=devices)
            self.write_status(run, status)
            enter(connection, status)

    def go_on(self, run: str) -> None:
        """Queue a run again that was interrupted, by itself, where it stood; not if it may not.

        Raises:
            NotAvailable: the home cannot be written.
        """
        with self.database.transaction() as connection, writing(self.settings.home):
            status = self._folders.status(run)
            if status is None or not status.goes_on or not is_gone(status):
                return
            if connection.execute("SELECT 1 FROM leases WHERE run = ?", (run,)).fetchone():
                return
            if status.device == LENT:  # its time was over, which is no mishap
                left, text = status.requeues, "goes on when a GPU is lent again"
            else:
                left = status.requeues - 1
                text = f"interrupted; goes on by itself ({MOST_REQUEUES - left} of {MOST_REQUEUES})"
            self.log(run).append("note", text=text)
            fresh = status.queued_again().with_changes(requeues=left, detail=text)
            self.write_status(run, fresh)
            enter(connection, fresh)

    def move(self, run: str, where: Where) -> None:
        """Move a run that waits within the queue: to its front or back, or past its neighbour.

        Raises:
            InputError: no such run, one that does not wait, or no such place.
            NotAvailable: the home cannot be written.
        """
        run = self.get(run).id
        check_where(where)
        with self.database.transaction() as connection, writing(self.settings.home):
            slots = slots_of(connection)
            if run not in slots:
                state = self.status(run).state
                fix = "only a queued run is moved"
                raise InputError(f"run {run} is {state}", field="run", fix=fix)
            for other, (priority, place) in moved(slots, run, where).items():
                status = self._folders.status(other)
                if status is not None:
                    status = status.with_changes(priority=priority, queued=place)
                    self.write_status(other, status)
                    enter(connection, status)

    def delete(self, run: str) -> None:
        """Remove a run and everything it made.

        Raises:
            InputError: no such run, or it is running.
            NotAvailable: the folder cannot be removed.
        """
        run = self.get(run).id
        status = self._folders.status(run)
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
            if self.settings.backup:
                self.settings.forgotten.mkdir(exist_ok=True)
                (self.settings.forgotten / run).touch()
            if folder.exists():
                os.rename(folder, trash)
        shutil.rmtree(trash, ignore_errors=True)
        # A device stays held until the supervisor has seen that no process of the run lives; and
        # where the index cannot be written, it is mended as after a folder removed by hand.
        with contextlib.suppress(NotAvailable):
            self.database.forget(run)
        self._folders.forget(run)
        with self._lock:
            self._logs.pop(run, None)

    def fail_queued(self, run: str, error: dict[str, str | None]) -> None:
        """End a run that waits as failed, if it does wait.

        Raises:
            NotAvailable: the home cannot be written.
        """
        self._end_waiting(run, "failed", error)

    def _end_waiting(
        self, run: str, state: State, error: dict[str, str | None] | None = None
    ) -> bool:
        """End a run that waits, if it does; no supervisor takes it meanwhile."""
        with self.database.transaction() as connection, writing(self.settings.home):
            status = self._folders.status(run)
            cursor = connection.execute(
                "UPDATE runs SET state = ? WHERE id = ? AND state = 'queued'", (state, run)
            )
            if status is None or (cursor.rowcount != 1 and not status.goes_on):
                return False
            if error is not None:
                self.log(run).append("error", **error)
            self.log(run).append("end", state=state)
            ended = status.with_changes(state=state, error=error, ended=time.time())
            self.write_status(run, ended)
            enter(connection, ended)
        return True

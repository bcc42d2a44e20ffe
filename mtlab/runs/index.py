"""The index of the runs, kept as their folders say."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable

from mtlab.runs.database import Database, Lease, enter, hold
from mtlab.runs.devices import names_of
from mtlab.runs.events import EventLog
from mtlab.runs.folders import RunFolders
from mtlab.runs.identity import this_host
from mtlab.runs.lending import lent_to
from mtlab.runs.recovering import recovered
from mtlab.runs.status import Status
from mtlab.settings import Settings


class RunIndex:
    """`lab.db` as far as it repeats what lies in the run folders, which are the truth.

    Args:
        settings: the lab's.
        folders: the home's.
        log: gives a run's event log.
    """

    def __init__(
        self, settings: Settings, folders: RunFolders, log: Callable[[str], EventLog]
    ) -> None:
        self._settings = settings
        self._folders = folders
        self._log = log
        self.database = Database(settings.home / "lab.db", self._refill)

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
        names = self._folders.names()
        held = {lease.run for lease in self.database.leases()}
        for run in known.keys() - names - held:  # a held one's process has to be ended first
            self.database.remove(run)
        for run in names - held:
            status = self._folders.status(run) or self._written_again(run)
            if status is not None and status.state != known.get(run):
                self.mend(run)
            if status is not None and status.state == "running" and not status.is_elsewhere:
                devices = names_of(status.device) or ("cpu",)
                self.database.adopt(devices, Lease("", this_host(), run, token=status.token))

    def mend(self, run: str) -> None:
        """Enter a run into the index as its folder says, unless a device is held for it."""
        with self.database.transaction() as connection:
            status = self._folders.status(run)
            query = "SELECT 1 FROM leases WHERE run = ?"
            if status is not None and connection.execute(query, (run,)).fetchone() is None:
                enter(connection, status)

    def lost_status(self, run: str) -> Status | None:
        """A status in the place of one that is lost; None where the spec is lost, too."""
        record = self._folders.record(run)
        if record is None:
            return None
        status = recovered(run, record.folder, record.spec, self._log(run))
        wants = status.wants or lent_to(record.spec.base, self._settings, {})
        return status.with_changes(wants=wants)

    def _written_again(self, run: str) -> Status | None:
        """A lost status, written; a run's own process writes it by itself."""
        status = self.lost_status(run)
        if status is None or status.state == "running":
            return None
        with contextlib.suppress(OSError):  # a full disk takes it later
            self._folders.write_status(run, status)
        return status

    def _refill(self, connection: sqlite3.Connection) -> None:
        for run in self._folders.names():
            status = self._folders.status(run)
            if status is None:
                continue
            enter(connection, status)
            if status.state == "running" and status.device and not status.is_elsewhere:
                # Whether its process lives is the supervisor's to find out; until then it holds.
                for device in names_of(status.device):
                    hold(connection, Lease(device, this_host(), run, token=status.token))

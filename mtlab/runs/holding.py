"""Holding what one process of a home at a time may do, by a lease that is renewed."""

from __future__ import annotations

import os
import time

from mtlab.runs.database import Database, Lease
from mtlab.runs.identity import (
    ProcessIdentity,
    is_this_machine,
    new_token,
    start_mark,
    this_host,
)

RENEW_SECONDS = 5.0
SILENT_SECONDS = 60.0
"""A holder that has not renewed its lease for so long is passed over, should it hang."""


class Holding:
    """A lease of a home, as one process sees it.

    Args:
        database: the home's.
        name: the lease's.
    """

    def __init__(self, database: Database, name: str) -> None:
        self.held = False
        """Whether it was held at the last look."""
        self._database = database
        self._name = name
        self._token = new_token()
        self._renewed = -RENEW_SECONDS
        self._heard = (0.0, 0.0)

    def holds(self) -> bool:
        """Take the lease, or renew it when it is time to; whether this process has it.

        Raises:
            NotAvailable: the home cannot be written.
        """
        now = time.monotonic()
        if not self.held or now - self._renewed >= RENEW_SECONDS:
            pid = os.getpid()
            mine = Lease(self._name, this_host(), None, pid, start_mark(pid), self._token)
            self.held = self._database.take(mine, self._is_abandoned)
            self._renewed = now
        return self.held

    def give_back(self) -> None:
        """Let another process have it.

        Raises:
            NotAvailable: the home cannot be written.
        """
        self.held, self._renewed = False, -RENEW_SECONDS
        self._database.drop(self._name, self._token)

    def _is_abandoned(self, lease: Lease) -> bool:
        """Whether the holder is gone, or has been silent for too long.

        Silence is told from the clock and, should that be set back, from the same heartbeat seen
        for as long.
        """
        if lease.host != this_host() and is_this_machine(lease.host):
            return True  # it was restarted since
        if lease.host == this_host() and lease.pid is not None:
            if not ProcessIdentity(lease.pid, lease.started, None).is_alive():
                return True
        now = time.monotonic()
        if self._heard[0] != lease.heartbeat:
            self._heard = (lease.heartbeat, now)
        silent = max(time.time() - lease.heartbeat, now - self._heard[1])
        return silent > SILENT_SECONDS

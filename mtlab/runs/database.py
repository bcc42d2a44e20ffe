"""What `lab.db` holds: the queue, an index of the runs, and the leases.

The run folders are the truth. What must happen once, however many processes look on, happens here
in one transaction: taking a device together with the next run in the queue. The file itself, its
schema and its ills are `mtlab.runs.database_file`'s.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from mtlab.runs.allotting import Wish, next_start
from mtlab.runs.database_file import DatabaseFile
from mtlab.runs.devices import names_of
from mtlab.runs.status import State, Status

STEP = 1e-5
"""Seconds between two places in the queue; a float of today's time resolves 2e-7."""


@dataclass(frozen=True)
class Lease:
    """Who holds something: the supervision of the home, or a device on behalf of a run."""

    name: str
    host: str
    run: str | None = None
    pid: int | None = None
    started: str | None = None
    token: str | None = None
    heartbeat: float = 0.0


class Database(DatabaseFile):
    """The index, the queue and the leases of a home."""

    def remove(self, run: str) -> None:
        """Forget a run and any lease held for it."""
        with self.transaction() as connection:
            connection.execute("DELETE FROM runs WHERE id = ?", (run,))
            connection.execute("DELETE FROM leases WHERE run = ?", (run,))

    def forget(self, run: str) -> None:
        """Forget a run; a device that is held for it is its supervisor's to free."""
        with self.transaction() as connection:
            connection.execute("DELETE FROM runs WHERE id = ?", (run,))

    def states(self) -> dict[str, State]:
        """Every run the index knows, and its state there."""
        with self.reading() as connection:
            return dict(connection.execute("SELECT id, state FROM runs"))

    def runs_in(self, state: State) -> list[str]:
        """The runs that the index knows to be in a state."""
        with self.reading() as connection:
            rows = connection.execute("SELECT id FROM runs WHERE state = ?", (state,))
            return [row[0] for row in rows]

    def wanting(self, device: str) -> dict[str, State]:
        """The runs that want a device and are not over, with their state, the next one first."""
        with self.reading() as connection:
            rows = connection.execute(
                "SELECT id, state FROM runs WHERE device = ? AND state IN"
                " ('queued', 'running', 'interrupted') ORDER BY priority DESC, queued, id",
                (device,),
            )
            return dict(rows)

    def queue(self) -> list[str]:
        """The queued runs, the next one first."""
        with self.reading() as connection:
            return [run for run, _, _ in queued_runs(connection)]

    def is_idle(self, devices: Sequence[str]) -> bool:
        """Whether no run holds one of these devices, and none waits that could be given one."""
        with self.reading() as connection:
            rows = connection.execute("SELECT name FROM leases WHERE run IS NOT NULL")
            if any(name in devices for (name,) in rows):
                return False
            wishes = _wishes(connection)
        return not any(not one.wants or set(one.wants) & set(devices) for one in wishes)

    def back(self, count: int = 1) -> list[float]:
        """Places behind the whole queue, in order, even when the clock was set back."""
        with self.reading() as connection:
            row = connection.execute("SELECT max(queued) FROM runs WHERE state = 'queued'")
            last = row.fetchone()[0] or 0.0
        first = max(time.time(), last + STEP)
        return [first + STEP * number for number in range(count)]

    def claim(
        self, allowed: Sequence[str], host: str, token: str, is_ready: Callable[[str], bool]
    ) -> tuple[str, tuple[str, ...]] | None:
        """Take free devices for the first run in the queue that is ready and can have all it needs;
        the run and its devices, or None.

        One step: of two that claim at the same instant, one gets a device. Devices that a run
        further ahead needs several of, and waits for, are left free for it.
        """
        with self.transaction() as connection:
            held = {name for (name,) in connection.execute("SELECT name FROM leases")}
            wishes = (one for one in _wishes(connection) if is_ready(one.run))
            found = next_start(wishes, allowed, held)
            if found is None:
                return None
            run, devices = found
            connection.execute("UPDATE runs SET state = 'running' WHERE id = ?", (run,))
            for device in devices:
                hold(connection, Lease(device, host, run, token=token))
            return run, devices

    def leases(self) -> list[Lease]:
        """All leases."""
        with self.reading() as connection:
            rows = connection.execute(
                "SELECT name, host, run, pid, started, token, heartbeat FROM leases ORDER BY name"
            )
            return [Lease(*row) for row in rows]

    def take(self, lease: Lease, is_free: Callable[[Lease], bool]) -> bool:
        """Take or renew a lease; another's only when `is_free` says that its holder is gone."""
        with self.transaction() as connection:
            row = connection.execute(
                "SELECT name, host, run, pid, started, token, heartbeat FROM leases WHERE name = ?",
                (lease.name,),
            ).fetchone()
            if row is not None:
                held = Lease(*row)
                mine = (held.host, held.pid, held.started, held.token) == (
                    lease.host,
                    lease.pid,
                    lease.started,
                    lease.token,
                )
                if not mine and not is_free(held):
                    return False
            hold(connection, lease)
            return True

    def adopt(self, devices: Sequence[str], lease: Lease) -> None:
        """Hold devices for a run that is found running; where another has one, under a name of its
        own, so that the run is attended all the same.
        """
        with self.transaction() as connection:
            held = dict(connection.execute("SELECT name, run FROM leases").fetchall())
            if lease.run in held.values():
                return
            for device in devices:
                name = f"{device} beside {held[device]}" if device in held else device
                hold(connection, replace(lease, name=name))

    def drop(self, name: str, token: str | None) -> None:
        """Give a lease back if it is still the one with `token`; with it all that `token` holds."""
        with self.transaction() as connection:
            connection.execute(
                "DELETE FROM leases WHERE token IS ?1 AND (name = ?2 OR token IS NOT NULL)",
                (token, name),
            )


def enter(connection: sqlite3.Connection, status: Status) -> None:
    """Enter a run as its status says, whether it is there or not, inside an open transaction."""
    place = status.created if status.queued is None else status.queued
    connection.execute(
        "INSERT INTO runs (id, state, created, queued, priority, device, devices)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (id) DO UPDATE SET state = excluded.state, queued = excluded.queued,"
        " priority = excluded.priority, device = excluded.device, devices = excluded.devices",
        (
            status.id,
            status.state,
            status.created,
            place,
            status.priority,
            status.wants,
            status.devices,
        ),
    )


def hold(connection: sqlite3.Connection, lease: Lease) -> None:
    """Write a lease down inside an open transaction, over whatever stood there."""
    now = time.time()
    connection.execute(
        "INSERT INTO leases (name, run, pid, started, token, host, taken, heartbeat)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET run = excluded.run,"
        " pid = excluded.pid, started = excluded.started, token = excluded.token,"
        " host = excluded.host, heartbeat = excluded.heartbeat",
        (lease.name, lease.run, lease.pid, lease.started, lease.token, lease.host, now, now),
    )


def queued_runs(connection: sqlite3.Connection) -> list[tuple[str, int, float]]:
    """The queued runs with their priority and their place, the next one first.

    Args:
        connection: within a transaction.
    """
    return connection.execute(
        "SELECT id, priority, queued FROM runs WHERE state = 'queued'"
        " ORDER BY priority DESC, queued, id"
    ).fetchall()


def _wishes(connection: sqlite3.Connection) -> list[Wish]:
    rows = connection.execute(
        "SELECT id, devices, device FROM runs WHERE state = 'queued'"
        " ORDER BY priority DESC, queued, id"
    )
    return [Wish(run, count, names_of(device)) for run, count, device in rows]

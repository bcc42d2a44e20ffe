"""`lab.db`: the queue, an index of the runs, and the leases, in SQLite (WAL).

The run folders are the truth. A database that is missing, truncated or damaged is set aside and
made again from them, by one process while the others wait. What must happen once, however many
processes look on, happens here in one transaction: taking a device together with the next run in
the queue.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from mtlab.errors import NotAvailable
from mtlab.runs.allotting import Wish, next_start
from mtlab.runs.devices import names_of
from mtlab.runs.files import cannot_write, is_full
from mtlab.runs.status import State, Status

STEP = 1e-5
"""Seconds between two places in the queue; a float of today's time resolves 2e-7."""

_PATIENCE = 30.0  # seconds to wait for another process's lock
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_MOVING = (sqlite3.SQLITE_IOERR,)
_MOVING_SECONDS = 0.5

MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE runs (
        id TEXT PRIMARY KEY,
        state TEXT NOT NULL,
        created REAL NOT NULL,
        queued REAL NOT NULL,
        priority INTEGER NOT NULL DEFAULT 0
    );
    CREATE INDEX runs_queue ON runs (state, priority DESC, queued);
    CREATE TABLE leases (
        name TEXT PRIMARY KEY,
        run TEXT,
        pid INTEGER,
        started TEXT,
        token TEXT,
        host TEXT NOT NULL,
        taken REAL NOT NULL,
        heartbeat REAL NOT NULL
    );
    """,
    "ALTER TABLE runs ADD COLUMN device TEXT",
    "ALTER TABLE runs ADD COLUMN devices INTEGER NOT NULL DEFAULT 1",
)
"""Ordered steps of the schema; `PRAGMA user_version` says how many were taken. Only ever append."""


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


class Database:
    """`lab.db` at `path`. Every call opens its own connection, so it may come from any thread.

    Args:
        path: the file; made when it is not there.
        refill: called with a fresh database's connection to fill it from the run folders.
    """

    def __init__(self, path: Path, refill: Callable[[sqlite3.Connection], None]) -> None:
        self.path = path
        self._refill = refill

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A connection inside one write transaction, committed at the end.

        Raises:
            NotAvailable: the home cannot be written, or its disk is full.
        """
        try:
            connection = self._open("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            raise self._sentence(error) from error
        except OSError as error:  # what is damaged could not be set aside
            raise cannot_write(error, self.path.parent) from error
        try:
            try:
                yield connection
            except BaseException:
                connection.rollback()
                raise
            connection.commit()
        except sqlite3.DatabaseError as error:
            raise self._sentence(error) from error
        finally:
            connection.close()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection that reads one state of the database and holds up nobody who writes.

        Where the file cannot even be opened, as on a full disk or in a home that cannot be written,
        what is read is made from the run folders in memory.

        Raises:
            NotAvailable: the home cannot be read.
        """
        try:
            connection = self._open_or_imagine()
            try:
                yield connection
            finally:
                connection.close()
        except sqlite3.DatabaseError as error:
            raise self._sentence(error) from error

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

    def _open(self, begin: str) -> sqlite3.Connection:
        """A connection in which a transaction has begun."""
        deadline = time.monotonic() + _MOVING_SECONDS
        while True:
            try:
                return self._begun(begin)
            except sqlite3.OperationalError as error:
                # SQLite fails so, too, while somebody replaces the file that it opens.
                if _code(error) not in _MOVING or time.monotonic() > deadline:
                    raise
            except sqlite3.DatabaseError:
                self._set_aside()
                if time.monotonic() > deadline:
                    raise
            time.sleep(0.02)

    def _begun(self, begin: str) -> sqlite3.Connection:
        connection = self._prepared()
        try:
            connection.execute(begin)
        except BaseException:
            connection.close()
            raise
        return connection

    def _open_or_imagine(self) -> sqlite3.Connection:
        try:
            return self._open("BEGIN")
        except (sqlite3.OperationalError, OSError):
            connection = sqlite3.connect(":memory:", isolation_level=None)
            self._migrate(connection)
            connection.execute("BEGIN")
            return connection

    def _set_aside(self) -> None:
        """Move what is not a database any more out of the way, for whoever wants to look.

        Of several processes that met the damage one does it; what the others find then is sound.
        """
        from filelock import FileLock

        with FileLock(self.path.with_name("lab.db.lock"), timeout=_PATIENCE):
            if self._is_sound():
                return
            for suffix in ("-wal", "-shm", ""):  # the database last: a new one starts without
                with contextlib.suppress(OSError):
                    old = self.path.with_name(self.path.name + suffix)
                    os.replace(old, f"{self.path}.damaged-{int(time.time())}{suffix}")

    def _is_sound(self) -> bool:
        try:
            connection = self._prepared()
            try:
                return bool(connection.execute("PRAGMA quick_check").fetchone() == ("ok",))
            finally:
                connection.close()
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError:
            return False

    def _prepared(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=_PATIENCE, isolation_level=None)
        try:
            connection.execute("PRAGMA synchronous = NORMAL")
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version < len(MIGRATIONS):
                self._migrate(connection)
            if version > len(MIGRATIONS):
                raise NotAvailable(
                    f"{self.path} was written by a later mtlab",
                    fix="update mtlab, or set MTLAB_HOME to another folder",
                )
        except BaseException:
            connection.close()
            raise
        return connection

    def _migrate(self, connection: sqlite3.Connection) -> None:
        _use_wal(connection)
        connection.execute("BEGIN IMMEDIATE")
        try:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            for step in MIGRATIONS[version:]:
                for statement in step.split(";"):
                    connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
            if version == 0:
                self._refill(connection)
        except BaseException:
            connection.rollback()
            raise
        connection.commit()

    def _sentence(self, error: sqlite3.DatabaseError) -> Exception:
        text = str(error)
        if not isinstance(error, sqlite3.OperationalError):
            if _code(error) not in _DAMAGED:
                return error
            self._set_aside()
            return NotAvailable(
                f"{self.path} is damaged and was set aside",
                fix="try again: it is made again from the run folders",
            )
        # Where its log cannot grow, SQLite calls a full disk an input/output error.
        if "full" in text or ("I/O" in text and is_full(self.path.parent)):
            return cannot_write(OSError(28, "the disk is full"), self.path.parent)
        if "readonly" in text or "unable to open" in text:
            return cannot_write(OSError(13, "no permission to write"), self.path.parent)
        return cannot_write(OSError(0, text), self.path)


def _use_wal(connection: sqlite3.Connection) -> None:
    """Switch to write-ahead logging; SQLite itself does not wait for another who does the same."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _code(error: sqlite3.Error) -> int:
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


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

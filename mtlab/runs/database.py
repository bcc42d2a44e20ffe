"""`lab.db`: the queue, an index of the runs, and the leases, in SQLite (WAL).

The run folders are the truth. A database that is missing, truncated or damaged is set aside and
made again from them. What must happen once, however many processes look on, happens here in one
transaction: taking a device together with the next run in the queue.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mtlab.runs.files import cannot_write
from mtlab.runs.status import State

_LITTLE = 256 * 1024  # bytes free on a disk that counts as full

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
            connection = self._open()
        except sqlite3.OperationalError as error:
            raise self._sentence(error) from error
        try:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.rollback()
                raise
            connection.commit()
        except sqlite3.OperationalError as error:
            raise self._sentence(error) from error
        finally:
            connection.close()

    def put(self, run: str, state: State, created: float, priority: int = 0) -> None:
        """Enter a run, or set the state of one that is there."""
        with self.transaction() as connection:
            insert(connection, run, state, created, priority)

    def remove(self, run: str) -> None:
        """Forget a run and any lease held for it."""
        with self.transaction() as connection:
            connection.execute("DELETE FROM runs WHERE id = ?", (run,))
            connection.execute("DELETE FROM leases WHERE run = ?", (run,))

    def states(self) -> dict[str, State]:
        """Every run the index knows, and its state there."""
        with self.transaction() as connection:
            return dict(connection.execute("SELECT id, state FROM runs"))

    def queue(self) -> list[str]:
        """The queued runs, the next one first."""
        with self.transaction() as connection:
            return [row[0] for row in connection.execute(_QUEUE)]

    def claim(self, device: str, host: str, token: str) -> str | None:
        """Take a free device for the next run in the queue, in one step; the run, or None."""
        with self.transaction() as connection:
            held = connection.execute("SELECT 1 FROM leases WHERE name = ?", (device,)).fetchone()
            row = None if held else connection.execute(_QUEUE + " LIMIT 1").fetchone()
            if row is None:
                return None
            now = time.time()
            connection.execute("UPDATE runs SET state = 'running' WHERE id = ?", row)
            connection.execute(
                "INSERT INTO leases (name, run, pid, started, token, host, taken, heartbeat)"
                " VALUES (?, ?, NULL, NULL, ?, ?, ?, ?)",
                (device, row[0], token, host, now, now),
            )
            return str(row[0])

    def leases(self) -> list[Lease]:
        """All leases."""
        with self.transaction() as connection:
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

    def drop(self, name: str, token: str | None) -> None:
        """Give a lease back if it is still the one with `token`."""
        with self.transaction() as connection:
            connection.execute("DELETE FROM leases WHERE name = ? AND token IS ?", (name, token))

    def _open(self) -> sqlite3.Connection:
        try:
            return self._prepared()
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError:
            # Not a database any more: keep what there is for whoever wants to look, start anew.
            with contextlib.suppress(OSError):
                os.replace(self.path, self.path.with_name(f"lab.db.damaged-{int(time.time())}"))
            for suffix in ("-wal", "-shm"):
                self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)
            return self._prepared()

    def _prepared(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=30, isolation_level=None)
        try:
            connection.execute("PRAGMA synchronous = NORMAL")
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version < len(MIGRATIONS):
                self._migrate(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _migrate(self, connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA journal_mode = WAL")
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

    def _sentence(self, error: sqlite3.OperationalError) -> Exception:
        text = str(error)
        # Where its log cannot grow, SQLite calls a full disk an input/output error.
        if "full" in text or ("I/O" in text and _free(self.path.parent) < _LITTLE):
            return cannot_write(OSError(28, "the disk is full"), self.path.parent)
        if "readonly" in text or "unable to open" in text:
            return cannot_write(OSError(13, "no permission to write"), self.path.parent)
        return cannot_write(OSError(0, text), self.path)


def _free(folder: Path) -> int:
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return _LITTLE


def insert(
    connection: sqlite3.Connection, run: str, state: State, created: float, priority: int = 0
) -> None:
    """Enter a run, or set the state of one that is there, inside an open transaction."""
    connection.execute(
        "INSERT INTO runs (id, state, created, queued, priority) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (id) DO UPDATE SET state = excluded.state",
        (run, state, created, created, priority),
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


_QUEUE = "SELECT id FROM runs WHERE state = 'queued' ORDER BY priority DESC, queued, id"

"""`lab.db` as a file: SQLite (WAL), its schema, and what is done where it cannot be used.

A database that is missing, truncated or damaged is set aside and made again from the run folders,
by one process while the others wait.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from mtlab.errors import NotAvailable
from mtlab.runs.files import cannot_write, is_full

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


class DatabaseFile:
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

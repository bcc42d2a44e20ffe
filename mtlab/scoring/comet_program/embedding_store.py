"""Sentence embeddings kept on disk, so that a text is encoded once for every system and every run.

Of models that read a segment jointly it keeps the scores, in the same way.

An SQLite file (WAL), so that several workers may use it at once. It holds so many vectors at most;
beyond that those not used for the longest time go. It is a cache: where it cannot be read or
written, texts are encoded again and nothing else changes.
"""

from __future__ import annotations

import hashlib
import sqlite3
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

MOST_BYTES = 1 << 30
_AT_ONCE = 500  # below SQLite's limit of variables in a statement

_SCHEMA = """
CREATE TABLE IF NOT EXISTS embeddings (
    key BLOB PRIMARY KEY,
    vector BLOB NOT NULL,
    used INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS embeddings_used ON embeddings (used);
"""


class EmbeddingStore:
    """The vectors of one model at one precision, in a file that may hold others' too.

    Args:
        path: the file; made when it is not there.
        model: what names the weights for ever: a hub revision or a digest, and the precision.
        most_bytes: of vectors, over all models in the file.
    """

    def __init__(self, path: Path, model: str, most_bytes: int = MOST_BYTES) -> None:
        self._model = model
        self._most_bytes = most_bytes
        self._connection: sqlite3.Connection | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(path, timeout=10, isolation_level=None)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = OFF")  # what a crash loses is encoded again
            connection.executescript(_SCHEMA)
            self._connection = connection
            self._make_room()
        except (OSError, sqlite3.Error):
            pass

    def get(self, texts: Iterable[str]) -> dict[str, bytes]:
        """The vectors that are there, as they were put, by text."""
        keys = {self._key(text): text for text in texts}
        found: dict[str, bytes] = {}
        ordered = list(keys)
        for start in range(0, len(ordered), _AT_ONCE):
            part = ordered[start : start + _AT_ONCE]
            marks = ",".join("?" * len(part))
            where = f"WHERE key IN ({marks})"
            for key, vector in self._run(f"SELECT key, vector FROM embeddings {where}", part):
                found[keys[key]] = vector
            self._run(f"UPDATE embeddings SET used = ? {where}", [_now(), *part])
        return found

    def put(self, vectors: Mapping[str, bytes]) -> None:
        """Keep vectors; what is too many goes when the file is opened the next time."""
        rows = [(self._key(text), vector, _now()) for text, vector in vectors.items()]
        self._run("BEGIN IMMEDIATE")
        for row in rows:
            self._run("INSERT OR REPLACE INTO embeddings VALUES (?, ?, ?)", row)
        self._run("COMMIT")

    def _make_room(self) -> None:
        counted = self._run("SELECT count(*), coalesce(sum(length(vector)), 0) FROM embeddings")
        for count, size in counted:
            if size > self._most_bytes:
                too_many = -(-count * (size - self._most_bytes) // size)
                self._run(
                    "DELETE FROM embeddings WHERE key IN"
                    " (SELECT key FROM embeddings ORDER BY used LIMIT ?)",
                    (too_many,),
                )

    def _run(self, statement: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """The rows of a statement; none from a file that could not be used, now or before."""
        if self._connection is None:
            return []
        try:
            return self._connection.execute(statement, values).fetchall()
        except sqlite3.Error:
            self._connection = None
            return []

    def _key(self, text: str) -> bytes:
        return hashlib.sha256(f"{self._model}\0{text}".encode()).digest()


def _now() -> int:
    return int(time.time())

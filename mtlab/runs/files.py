"""Writing files so that a reader, or a crash, never meets half of one."""

from __future__ import annotations

import errno
import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mtlab.errors import NotAvailable

FULL = (errno.ENOSPC, errno.EDQUOT)


def cannot_write(error: OSError, place: Path) -> NotAvailable:
    """The sentence for a write that failed: a full disk, a read-only home, another cause."""
    if error.errno in FULL:
        return NotAvailable(
            f"the disk that holds {place} is full", fix="free some space, then try again"
        )
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return NotAvailable(
            f"{place} cannot be written",
            why=error.strerror,
            fix="set MTLAB_HOME to a folder you may write to",
        )
    return NotAvailable(
        f"{place} cannot be written",
        why=error.strerror or str(error),
        fix="check its disk, or set MTLAB_HOME to a folder on another",
    )


@contextmanager
def writing(place: Path) -> Iterator[None]:
    """Turn a failed write below `place` into `NotAvailable` with what to do."""
    try:
        yield
    except OSError as error:
        raise cannot_write(error, place) from error


def write_atomic(path: Path, text: str, *, durable: bool = True) -> None:
    """Replace `path` by `text` in one step; on failure the old content stays.

    Args:
        path: the file; its folder must exist.
        text: the new content, written as UTF-8.
        durable: wait until the disk has it, so that it also outlives a power cut.

    Raises:
        OSError: the folder is gone, not writable, or the disk is full.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def write_json(path: Path, value: Any, *, durable: bool = True) -> None:
    """`write_atomic` of a value as indented JSON."""
    text = json.dumps(value, ensure_ascii=False, indent=1) + "\n"
    write_atomic(path, text, durable=durable)


def write_lines(path: Path, values: Iterable[Any]) -> None:
    """`write_atomic` of one JSON value per line."""
    text = "".join(json.dumps(value, ensure_ascii=False) + "\n" for value in values)
    write_atomic(path, text)


def read_json(path: Path) -> dict[str, Any] | None:
    """The mapping in a JSON file; None when there is no such file or it holds no mapping."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The mappings of a JSON-lines file; lines that are torn or no mapping are left out."""
    try:
        data = path.read_bytes()
    except OSError:
        return []
    return [row for row in map(parse_line, data.split(b"\n")) if row is not None]


def parse_line(line: bytes) -> dict[str, Any] | None:
    """The mapping in one line of JSON, or None."""
    if not line.strip():
        return None
    try:
        value = json.loads(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None

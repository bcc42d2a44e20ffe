"""Writing files so that a reader, or a crash, never meets half of one."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mtlab.errors import NotAvailable
from mtlab.json_text import parse_json

FULL = (errno.ENOSPC, errno.EDQUOT)

_LITTLE = 256 * 1024  # bytes free on a disk that counts as full
_ASIDE = ".tmp"
_ASIDE_SECONDS = 60.0
"""What is older is nobody's at work."""


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


def is_full(folder: Path) -> bool:
    """Whether the disk that holds a folder has no room left, as far as can be told."""
    try:
        return shutil.disk_usage(folder).free < _LITTLE
    except OSError:
        return False


@contextmanager
def writing(place: Path) -> Iterator[None]:
    """Turn a failed write below `place` into `NotAvailable` with what to do."""
    try:
        yield
    except OSError as error:
        raise cannot_write(error, place) from error


FileMark = tuple[int, int, int]
"""What is another for a file that was replaced: its time, inode and size."""


def file_mark(path: str | Path) -> FileMark | None:
    """The mark of a file; None when it is not there."""
    try:
        facts = os.stat(path)
    except OSError:
        return None
    return facts.st_mtime_ns, facts.st_ino, facts.st_size


def write_atomic(path: Path, text: str, *, durable: bool = True) -> None:
    """Replace `path` by `text` in one step; on failure the old content stays.

    Args:
        path: the file; its folder must exist.
        text: the new content, written as UTF-8.
        durable: wait until the disk has it, so that it also outlives a power cut.

    Raises:
        OSError: the folder is gone, not writable, or the disk is full.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=_ASIDE)
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


def remove_torn(folder: Path) -> None:
    """Remove what `write_atomic` had not finished when its process was killed, a while ago."""
    for path in folder.glob(f".*{_ASIDE}"):
        with contextlib.suppress(OSError):
            if abs(time.time() - path.stat().st_mtime) > _ASIDE_SECONDS:
                path.unlink()


def write_json(path: Path, value: Any, *, durable: bool = True) -> None:
    """`write_atomic` of a value as indented JSON."""
    text = json.dumps(value, ensure_ascii=False, indent=1) + "\n"
    write_atomic(path, text, durable=durable)


def write_lines(path: Path, values: Iterable[Any]) -> None:
    """`write_atomic` of one JSON value per line."""
    text = "".join(json.dumps(value, ensure_ascii=False) + "\n" for value in values)
    write_atomic(path, text)


def append_line(path: Path, value: Any) -> None:
    """Add one JSON value as a line of its own, in one write.

    A torn line before it, of a process that was killed, does not take it along.

    Raises:
        OSError: the folder is gone or the disk is full; nothing, or a torn line that readers pass
            over, was written.
    """
    line = json.dumps(value, ensure_ascii=False).encode() + b"\n"
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
    with os.fdopen(handle, "rb+", buffering=0) as file:
        size = os.fstat(handle).st_size
        if size > 0:
            file.seek(size - 1)
            if file.read(1) != b"\n":
                line = b"\n" + line
        written = file.write(line)
        if written != len(line):
            file.write(line[written:])


def read_json(path: Path) -> dict[str, Any] | None:
    """The mapping in a JSON file; None when there is no such file or it holds no mapping."""
    try:
        value = parse_json(path.read_text(encoding="utf-8"))
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
        value = parse_json(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None

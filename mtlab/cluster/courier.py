"""Files in pieces, each file checked as a whole and under another name until it is."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from mtlab.cluster.far import Far, call
from mtlab.cluster.luggage import Item, Luggage, file_digest

PIECE = 8 * 2**20
"""Bytes that travel at once: few enough for a small object store, many enough to be fast."""

_COMING = ".coming"


class Torn(Exception):
    """A file did not arrive as it was sent: it changed meanwhile, or a disk or a network failed."""


def send(far: Far, luggage: Luggage, on_piece: Callable[[], None]) -> None:
    """Send what the node lacks; what has come before it was cut off is not sent again.

    Args:
        far: the job that it is for.
        luggage: what it takes along.
        on_piece: called between two pieces.

    Raises:
        Lost, Silent, Refused: as `Answer.wait`.
        OSError: a file cannot be read.
    """
    items = {f"own/{item.name}": item for item in luggage.own}
    for folder in luggage.shared:
        items |= {f"shared/{folder.content}/{item.name}": item for item in folder.items}
    wanted = [[target, item.size] for target, item in items.items()]
    for target, have in call(far, "lacking", wanted):
        _send_file(far, target, items[target], have, on_piece)


def _send_file(far: Far, target: str, item: Item, have: int, on_piece: Callable[[], None]) -> None:
    if isinstance(item.source, bytes):
        call(far, "take", target, 0, item.source)
    else:
        with open(item.source, "rb") as file:
            file.seek(have)
            while True:
                data = file.read(PIECE)
                if not data and have:
                    break
                call(far, "take", target, have, data)
                have += len(data)
                on_piece()
                if len(data) < PIECE:
                    break
    call(far, "keep", target, item.sha256)


def fetch(far: Far, path: str, target: Path, on_piece: Callable[[], None]) -> None:
    """Fetch one file; it has its name when it is whole.

    Args:
        far: the job that has it.
        path: its path there.
        target: where it is to lie; its folder is made.
        on_piece: called between two pieces.

    Raises:
        Torn: it changed while it was fetched; nothing is left.
        Lost, Silent, Refused: as `Answer.wait`.
        OSError: it cannot be written.
    """
    size, digest = call(far, "digest", path)
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.with_name(f".{target.name}.{digest[:12]}{_COMING}")
    have = aside.stat().st_size if aside.exists() else 0
    with open(aside, "ab") as file:
        while have < size:
            data = call(far, "give", path, have, PIECE)
            if not data:
                break
            file.write(data)
            have += len(data)
            on_piece()
        file.flush()
        os.fsync(file.fileno())
    if have != size or file_digest(aside) != digest:
        aside.unlink(missing_ok=True)
        raise Torn(path)
    os.replace(aside, target)


def fetch_folder(
    far: Far, files: Mapping[str, str], target: Path, on_piece: Callable[[], None]
) -> None:
    """Fetch the files of a folder, which has its name when all of them are there.

    Args:
        far: the job that has them.
        files: paths there, by the name within the folder.
        target: the folder; another one of that name is replaced.
        on_piece: called between two pieces.

    Raises:
        Torn, Lost, Silent, Refused, OSError: as `fetch`.
    """
    aside = target.with_name(f".{target.name}{_COMING}")
    for name, path in files.items():
        if not (aside / name).exists():
            fetch(far, path, aside / name, on_piece)
    old = target.with_name(f".{target.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    with contextlib.suppress(FileNotFoundError):
        os.rename(target, old)
    os.rename(aside, target)
    shutil.rmtree(old, ignore_errors=True)


def remove_half_fetched(folder: Path) -> None:
    """Remove what was on its way to a run's folder from a job that is gone."""
    for path in folder.rglob(f".*{_COMING}"):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)

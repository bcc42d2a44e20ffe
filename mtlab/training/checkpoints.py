"""Which of a folder's checkpoints is whole: a process may die while it writes one.

A checkpoint is used only if all its parts are there and none is cut short. The one before goes only
when the new one is whole and on the disk, so that there is always one to go on from.
"""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from pathlib import Path

from mtlab.weights import is_whole

_CHECKPOINT_FILES = ("optimizer.pt", "scheduler.pt", "rng_state.pth", "trainer_state.json")


def last_checkpoint(folder: Path) -> Path | None:
    """The folder's newest whole checkpoint; torn ones, from a process that died, are removed."""
    whole: list[tuple[int, Path]] = []
    for path in folder.glob("checkpoint-*"):
        step = _checkpoint_step(path)
        if step is None:
            shutil.rmtree(path, ignore_errors=True)
        else:
            whole.append((step, path))
    return max(whole)[1] if whole else None


def keep_newest(folder: Path, step: int) -> None:
    """Wait until the disk has the checkpoint of a step, then remove all others.

    By step, not by the clock, which may be set back while a run trains.

    Raises:
        OSError: the disk cannot take it; the others stay.
    """
    newest = folder / f"checkpoint-{step}"
    for path in [*newest.iterdir(), newest]:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    for path in folder.glob("checkpoint-*"):
        if path != newest:
            shutil.rmtree(path, ignore_errors=True)


def _checkpoint_step(path: Path) -> int | None:
    """The step of a checkpoint that has all its parts, or None."""
    number = path.name.removeprefix("checkpoint-")
    weights = list(path.glob("*.safetensors"))
    if not number.isdigit() or not weights or not all(map(is_whole, weights)):
        return None
    if not all(_is_there(path / name) for name in _CHECKPOINT_FILES):
        return None
    try:
        # Trainer writes this file last; a torn one does not parse.
        state = json.loads((path / "trainer_state.json").read_text(encoding="utf-8"))
        return int(number) if state["global_step"] == int(number) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _is_there(path: Path) -> bool:
    # What torch saves is a zip archive, whose directory stands at its end.
    return path.is_file() if path.suffix == ".json" else zipfile.is_zipfile(path)

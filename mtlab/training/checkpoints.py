"""Which of a folder's checkpoints is whole: a process may die while it writes one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

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


def _checkpoint_step(path: Path) -> int | None:
    """The step of a checkpoint that has all its parts, or None."""
    number = path.name.removeprefix("checkpoint-")
    has_weights = any(path.glob("*.safetensors"))
    if not number.isdigit() or not has_weights:
        return None
    if not all((path / name).is_file() for name in _CHECKPOINT_FILES):
        return None
    try:
        # Trainer writes this file last; a torn one does not parse.
        state = json.loads((path / "trainer_state.json").read_text(encoding="utf-8"))
        return int(number) if state["global_step"] == int(number) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None

"""How much memory is free, and what a loaded model takes of it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

MAIN_MEMORY = "main memory"
"""Every other place is a GPU's."""


def weights_bytes(model: Any) -> int:
    """What the weights of a torch model take."""
    tensors = [*model.parameters(), *model.buffers()]
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def available_memory() -> tuple[int, str]:
    """Free bytes, and where: the GPU when there is one, or main memory (within its cgroup)."""
    gpu = _gpu_free()
    if gpu is not None:
        return gpu, "GPU"
    return free_main_memory(), MAIN_MEMORY


def free_main_memory() -> int:
    """Free bytes of main memory, within this process's cgroup."""
    import psutil

    free = int(psutil.virtual_memory().available)
    limit = _cgroup_free()
    return free if limit is None else min(free, limit)


def gpu_told(field: str) -> str | None:
    """What the first GPU's driver says of a field of `nvidia-smi --query-gpu`, without its unit.

    It is asked so that torch need not be loaded; None where there is no driver, or no answer.
    """
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return None
    try:
        answer = subprocess.run(
            [tool, f"--query-gpu={field}", "--format=csv,noheader,nounits"],
            capture_output=True, text=True, timeout=10, check=True,
        ).stdout  # fmt: skip
        return answer.split()[0]
    except (OSError, subprocess.SubprocessError, IndexError):
        return None


def _gpu_free() -> int | None:
    """Free bytes of the first GPU."""
    try:
        return int(gpu_told("memory.free") or "") * 2**20
    except ValueError:
        return None


def _cgroup_free() -> int | None:
    folder = Path("/sys/fs/cgroup")
    try:
        limit = (folder / "memory.max").read_text().strip()
        used = int((folder / "memory.current").read_text())
        return None if limit == "max" else max(0, int(limit) - used)
    except (OSError, ValueError):
        return None

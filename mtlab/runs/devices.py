"""The devices runs may hold, found without torch."""

from __future__ import annotations

import os
import subprocess
from functools import lru_cache
from importlib import metadata
from pathlib import Path


@lru_cache(maxsize=1)
def devices() -> tuple[str, ...]:
    """One name per device that holds one run at a time: "cuda:0", "cuda:1", ... or "cpu".

    GPUs count only where the installed torch can use them. `CUDA_VISIBLE_DEVICES` is heeded.
    Found once per process.
    """
    count = 0 if _torch_is_cpu_only() else _gpus()
    return tuple(f"cuda:{number}" for number in range(count)) or ("cpu",)


def environment_for(device: str) -> dict[str, str]:
    """The variables that show a process this device alone."""
    if not device.startswith("cuda:"):
        return {}
    number = int(device.partition(":")[2])
    visible = _visible()
    return {"CUDA_VISIBLE_DEVICES": visible[number] if visible else str(number)}


def _visible() -> list[str]:
    text = os.environ.get("CUDA_VISIBLE_DEVICES", "")
    return [part.strip() for part in text.split(",") if part.strip()]


def _torch_is_cpu_only() -> bool:
    try:
        return metadata.version("torch").endswith("+cpu")
    except metadata.PackageNotFoundError:
        return True


def _gpus() -> int:
    if "CUDA_VISIBLE_DEVICES" in os.environ:
        return len([name for name in _visible() if name != "-1"])
    try:
        count = len(os.listdir("/proc/driver/nvidia/gpus"))
    except OSError:
        count = 0
    if count or not Path("/proc/driver/nvidia").exists():
        return count
    try:
        listing = subprocess.run(
            ["nvidia-smi", "-L"], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return 0
    return sum(line.startswith("GPU ") for line in listing.stdout.splitlines())

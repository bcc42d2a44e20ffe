"""The devices runs may hold, found without torch."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from functools import lru_cache
from importlib import metadata
from pathlib import Path

from mtlab.errors import InputError, NotAvailable
from mtlab.settings import Settings
from mtlab.spec import RunSpec

LENT = "zero"
"""The name of the device that a visitor of a ZeroGPU Space lends for a while (`runs.lent`)."""


@lru_cache(maxsize=1)
def devices() -> tuple[str, ...]:
    """One name per device that holds one run at a time: "cuda:0", "cuda:1", ... or "cpu".

    GPUs count only where the installed torch can use them. `CUDA_VISIBLE_DEVICES` is heeded.
    Found once per process.
    """
    count = 0 if _torch_is_cpu_only() else _gpus()
    return tuple(f"cuda:{number}" for number in range(count)) or ("cpu",)


def allowed_devices(settings: Settings) -> tuple[str, ...]:
    """The devices runs may hold, as `MTLAB_DEVICES` chooses them.

    Raises:
        NotAvailable: none of the chosen ones is there.
    """
    found = devices()
    if not settings.devices:
        return found
    chosen = tuple(name for name in settings.devices if name == "cpu" or name in found)
    if not chosen:
        raise NotAvailable(
            f"this machine has no {' and no '.join(settings.devices)}",
            fix=f"set MTLAB_DEVICES to {', '.join(found)}",
        )
    return chosen


def check_device(device: str, settings: Settings, count: int = 1) -> None:
    """Refuse devices that no run may hold here, or that are not as many as a run shares its work
    among.

    Args:
        device: one, or several joined by commas.
        settings: the lab's.
        count: the run's `devices`.

    Raises:
        InputError: there is none of that name, or `MTLAB_DEVICES` leaves it out.
        NotAvailable: as `allowed_devices`.
    """
    allowed = allowed_devices(settings)
    named = names_of(device)
    for name in named:
        if name not in allowed:
            raise InputError(
                f"no run may hold '{name}' here", field="device", fix=f"use {', '.join(allowed)}"
            )
    needed = slots_for(count, allowed)[1] if count > 1 and named != ("cpu",) else 1
    if len(named) != needed or (needed > 1 and "cpu" in named):
        raise InputError(
            f"'{device}' is not {needed} {'device' if needed == 1 else 'different devices'}",
            field="device",
            fix=f"name as many as devices says, or leave it out: {', '.join(allowed)}",
        )


def check_share(spec: RunSpec, settings: Settings) -> None:
    """Refuse a run that is to share its work among more devices than it can.

    Args:
        spec: complete.
        settings: the lab's.

    Raises:
        InputError: there are not so many, or there is not so much to share.
        NotAvailable: as `allowed_devices`.
    """
    if spec.devices == 1:
        return
    if settings.lent_seconds:
        raise InputError(
            "one GPU at a time is lent on a ZeroGPU Space",
            field="devices",
            fix="leave it at 1",
        )
    allowed = allowed_devices(settings)
    gpus = [name for name in allowed if name.startswith("cuda:")]
    if gpus and spec.devices > len(gpus):
        raise InputError(
            f"runs may hold {_counted(len(gpus), 'GPU')} here ({', '.join(gpus)}), "
            f"not {spec.devices}",
            field="devices",
            fix=f"give {len(gpus)} or fewer",
        )
    if not gpus and sys.platform == "darwin":
        raise InputError(
            "a Mac's processor and GPU are one device", field="devices", fix="leave it at 1"
        )
    cores = settings.threads or os.cpu_count() or 1
    if not gpus and spec.devices > cores:
        raise InputError(
            f"this machine has no GPU, and {_counted(cores, 'CPU core')} for as many processes, "
            f"not {spec.devices}",
            field="devices",
            fix=f"give {cores} or fewer",
        )
    pairs = (spec.training.batch_size or 1) * (spec.training.accumulation or 1)
    if spec.training.trains and spec.devices > pairs:
        raise InputError(
            f"a step of {_counted(pairs, 'pair')} cannot be shared among {spec.devices} devices",
            field="devices",
            fix=f"give {pairs} or fewer, or a larger batch",
        )


def own_gpus() -> list[str]:
    """The GPUs that this process was given, as CUDA names them; [] where it was given none."""
    return [] if _torch_is_cpu_only() else [name for name in _visible() if name != "-1"]


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def names_of(device: str | None) -> tuple[str, ...]:
    """The devices that a status names: `cuda:0,cuda:1` are two."""
    names = (name.strip() for name in (device or "").split(","))
    return tuple(dict.fromkeys(name for name in names if name))


def slots_for(count: int, allowed: Sequence[str]) -> tuple[tuple[str, ...], int]:
    """Among which of the allowed devices a run finds its own, and how many of them it holds.

    Args:
        count: the run's `devices`. On a CPU they are processes, which share the one device.
        allowed: as `allowed_devices`.
    """
    gpus = tuple(name for name in allowed if name.startswith("cuda:"))
    if count == 1:
        return tuple(allowed), 1
    return (gpus, count) if gpus else (tuple(allowed), 1)


def environment_for(device: str) -> dict[str, str]:
    """The variables that show a process these devices alone."""
    if device == LENT:
        return {}  # whoever lends it has set them
    if not device.startswith("cuda:"):
        alone = devices() == ("cpu",) and not Settings.from_environment().lent_seconds
        return {} if alone else {"CUDA_VISIBLE_DEVICES": ""}
    visible = _visible()
    numbers = [int(name.partition(":")[2]) for name in names_of(device)]
    shown = [visible[number] if visible else str(number) for number in numbers]
    return {"CUDA_VISIBLE_DEVICES": ",".join(shown)}


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

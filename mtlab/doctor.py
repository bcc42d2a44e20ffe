"""What this machine can do: device, precision, metrics, hub, disk."""

from __future__ import annotations

import os
import platform
import shutil
from dataclasses import asdict, dataclass
from typing import Any

import psutil

from mtlab.settings import Settings


@dataclass(frozen=True)
class Check:
    """One line of the examination: what was looked at, whether it is fine, and what would help."""

    name: str
    ok: bool
    finding: str
    fix: str = ""

    def row(self) -> dict[str, Any]:
        """The check as a table row."""
        return {
            "check": self.name,
            "": "ok" if self.ok else "--",
            "finding": self.finding,
            "fix": self.fix,
        }

    def to_json(self) -> dict[str, Any]:
        """The check as plain JSON values."""
        return asdict(self)


def examine(settings: Settings) -> list[Check]:
    """Look at everything a run may need. Loads torch; asks the hub once, for at most 5 seconds."""
    return [
        _python(),
        _device(),
        _precision(),
        _memory(),
        _disk(settings),
        _comet(settings),
        _hub(settings),
    ]


def _python() -> Check:
    import torch
    import transformers

    return Check(
        "python",
        True,
        f"{platform.python_version()}, torch {torch.__version__}, "
        f"transformers {transformers.__version__}",
    )


def _device() -> Check:
    import torch

    from mtlab.models import device_name

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    if torch.cuda.is_available():
        return Check(
            "device", True, f"{torch.cuda.get_device_name(0)}, {torch.cuda.device_count()} GPU"
        )
    return Check(
        "device", True, f"{device_name()}, {cores} cores", "a GPU is needed for a 7 B model"
    )


def _precision() -> Check:
    from mtlab.models import fast_bf16

    if fast_bf16():
        return Check("precision", True, "bf16 is fast here")
    return Check("precision", True, "fp32; this processor does not multiply bf16 faster")


def _memory() -> Check:
    memory = psutil.virtual_memory()
    return Check(
        "memory",
        memory.available > 2 * 2**30,
        f"{memory.available / 2**30:.1f} GiB free of {memory.total / 2**30:.1f}",
        "" if memory.available > 2 * 2**30 else "nano needs 2 GiB: close something",
    )


def _disk(settings: Settings) -> Check:
    settings.home.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(settings.home).free / 2**30
    return Check(
        "disk",
        free > 1,
        f"{free:.1f} GiB free in {settings.home}",
        "" if free > 1 else "set MTLAB_HOME to a larger disk",
    )


def _comet(settings: Settings) -> Check:
    from mtlab.scoring.comet import comet_status
    from mtlab.spec import RunSpec

    model = RunSpec.model_fields["comet_model"].default
    missing = comet_status(settings, model)
    if missing is None:
        return Check("COMET", True, f"{model} can be used")
    return Check("COMET", False, missing.why, missing.fix or "")


def _hub(settings: Settings) -> Check:
    from huggingface_hub import HfApi

    if settings.offline:
        return Check("hub", False, "turned off by HF_HUB_OFFLINE", "unset it to load hub models")
    try:
        HfApi().model_info("gpt2", timeout=5)
    except Exception as error:  # the hub's client raises many kinds; each means the same here
        return Check(
            "hub", False, f"cannot be reached ({type(error).__name__})", "nano works without it"
        )
    return Check("hub", True, "can be reached")

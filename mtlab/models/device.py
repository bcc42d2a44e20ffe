"""What this machine computes with: threads, device, and the number format it multiplies fast."""

from __future__ import annotations

import os
import sys
from functools import cache
from typing import Literal

from mtlab.errors import NotAvailable
from mtlab.settings import TOKEN_VARIABLE, Settings

Precision = Literal["auto", "fp32", "bf16"]


def set_threads(settings: Settings) -> int:
    """Set how many CPU threads torch uses; call it before torch is imported.

    Idle threads sleep instead of spinning: beside another busy process, spinning ones made a step
    twenty times slower. What the environment already says is left alone.

    Returns:
        The number of threads.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    count = settings.threads or int(os.environ.get("OMP_NUM_THREADS") or cores or 1)
    os.environ["OMP_NUM_THREADS"] = str(count)
    if "torch" in sys.modules:
        import torch

        torch.set_num_threads(count)
    return count


def device_name() -> str:
    """`cuda`, `mps` or `cpu`: the best this machine has."""
    import torch

    if Settings.from_environment().lent_seconds and TOKEN_VARIABLE not in os.environ:
        return "cpu"  # torch is made to believe in a GPU there, which only a run is lent
    if torch.cuda.is_available():
        return "cuda"
    if torch.backends.mps.is_available():
        return "mps"
    return "cpu"


@cache
def fast_bf16(device: str = "cpu") -> bool:
    """Whether the device multiplies bfloat16 in hardware, faster than float32.

    Told from the processor's instructions, not from a timing, so that the same machine gives the
    same answer on a busy day. PyTorch's own check also says yes where bf16 is emulated.
    """
    import torch

    if device.startswith("cuda"):
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device != "cpu" or not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        return False
    return bool(torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported())


def resolve_precision(precision: Precision, device: str) -> Literal["fp32", "bf16"]:
    """The number format meant by `auto` on this device.

    Raises:
        NotAvailable: bf16 is asked for on a GPU that has none.
    """
    if precision == "auto":
        return "bf16" if fast_bf16(device) else "fp32"
    if precision == "bf16" and device.startswith("cuda") and not fast_bf16(device):
        raise NotAvailable("this GPU has no bfloat16", fix="set the precision to fp32 or auto")
    return precision

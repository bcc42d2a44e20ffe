"""What the device reaches with nothing but matrix products, and with nothing but copies."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from typing import Any

_TIMES = 20


def measured_rates(size: int) -> dict[str, float]:
    """TFLOP/s of bf16 products of square matrices, and GB/s of copies, reads and writes together.

    Args:
        size: of the matrices.
    """
    import torch

    a, b = (torch.randn(size, size, dtype=torch.bfloat16, device=device()) for _ in range(2))
    product = _seconds(lambda: a @ b)
    source = torch.empty(size * size * 4, dtype=torch.uint8, device=device())
    target = torch.empty_like(source)
    copy = _seconds(lambda: target.copy_(source))
    return {"tflops": 2 * size**3 / product / 1e12, "gbytes": 2 * source.numel() / copy / 1e9}


def device() -> str:
    """`cuda` where there is a GPU, else `cpu`."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def release() -> None:
    """Give the GPU's memory back to the processes that train."""
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _synchronise() -> None:
    import torch

    if torch.cuda.is_available():
        torch.cuda.synchronize()


def _seconds(act: Callable[[], Any]) -> float:
    for _ in range(3):
        act()
    _synchronise()
    began = time.perf_counter()
    for _ in range(_TIMES):
        act()
    _synchronise()
    return (time.perf_counter() - began) / _TIMES

"""What `auto` means on this machine, told without torch, which is not loaded yet when it is asked.

What a run does is `mtlab.models.device`'s to decide; a test holds that both say the same of a
processor.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from mtlab.models.room import MAIN_MEMORY, gpu_told

_WITH_BF16 = frozenset({"avx512_bf16", "amx_tile"})
_FIRST_GPU_WITH_BF16 = 8.0  # compute capability: Ampere


def is_wide(precision: str, where: str) -> bool:
    """Whether weights stand in 32 bits.

    Args:
        precision: `auto`, `fp32` or `bf16`.
        where: `MAIN_MEMORY`, or which GPU's.
    """
    if precision != "auto":
        return precision == "fp32"
    return not (processor_has_bf16() if where == MAIN_MEMORY else gpu_has_bf16())


@cache
def processor_has_bf16() -> bool:
    """Whether the processor multiplies bfloat16 by instructions of its own."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return False
    flags = next((line for line in lines if line.startswith("flags")), "")
    return not _WITH_BF16.isdisjoint(flags.split())


@cache
def gpu_has_bf16() -> bool:
    """Whether the first GPU does; assumed where its driver does not tell."""
    try:
        return float(gpu_told("compute_cap") or "") >= _FIRST_GPU_WITH_BF16
    except ValueError:
        return True

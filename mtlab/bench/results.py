"""What a contest came to, as rows of a table and as JSON."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mtlab.bench.contest import Standing


@dataclass(frozen=True)
class Result:
    """One contest, held.

    Attributes:
        title: what was done, with what and on how much.
        unit: of the work: `sentences`, `target tokens`.
        agreement: what a standing's agreement says.
        standings: of all contestants, the reference first.
        quality: what a standing's quality says; None where it has none.
    """

    title: str
    unit: str
    agreement: str
    standings: Sequence[Standing]
    quality: str | None = None

    def rows(self) -> list[dict[str, Any]]:
        """A row per contestant: rates, ratios with their spread, agreement."""
        return [self._row(one) for one in self.standings]

    def _row(self, one: Standing) -> dict[str, Any]:
        if one.problem is not None:
            return {"": one.name, "how": f"not available: {one.problem}"}
        row = {
            "": one.name,
            f"{self.unit}/s": _short(one.rate),
            "ratio": f"{one.ratio:.2f}",
            "spread": f"{min(one.ratios):.2f}-{max(one.ratios):.2f}",
        }
        if one.cpu_ratios:
            row["ratio of CPU time"] = f"{one.cpu_ratio:.2f}"
        if one.peak_bytes is not None:
            row["peak GiB"] = f"{one.peak_bytes / 2**30:.1f}"
        if one.agreement is not None:
            row[self.agreement] = _short(one.agreement)
        if self.quality is not None and one.quality is not None:
            row[self.quality] = f"{one.quality:.2f}"
        return {**row, "how": one.how}

    def to_json(self) -> dict[str, Any]:
        """All of it as plain JSON values."""
        return {
            "title": self.title,
            "unit": self.unit,
            "agreement": self.agreement,
            "quality": self.quality,
            "standings": [asdict(one) for one in self.standings],
        }


def machine() -> dict[str, Any]:
    """What the figures were measured on; the load says how idle it was."""
    import psutil
    import torch
    import transformers

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    gpu = torch.cuda.is_available()
    return {
        "processor": _processor(),
        "cores": cores,
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "gpu": torch.cuda.get_device_name(0) if gpu else None,
        "gpus": torch.cuda.device_count() if gpu else 0,
        "load": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
    }


def sentence(about: dict[str, Any]) -> str:
    """The machine in one line."""
    where = about["gpu"] or f"{about['cores']} cores of {about['processor']}, no GPU"
    return (
        f"{where}, {about['memory_gib']} GiB, load {about['load']} at the start; "
        f"torch {about['torch']}, transformers {about['transformers']}"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if "model name" in line)
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _short(value: float) -> str:
    if value == 0 or 0.001 <= abs(value) < 10:
        return f"{value:.3g}"
    return f"{value:.1e}" if abs(value) < 0.001 else f"{value:,.0f}"

"""Whether a model fits into this machine's memory, said before it is loaded."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from mtlab.errors import NotAvailable
from mtlab.models.facts import ModelFacts
from mtlab.settings import Settings
from mtlab.spec import Training

_PROCESS = 500_000_000  # python, torch and transformers themselves
_GIB = 2**30
_READ_TOKENS = 8192
_READ_ROWS = 256


@dataclass(frozen=True)
class MemoryNeed:
    """An estimate of what a run needs, and what there is, in bytes.

    Attributes:
        weights: the model's weights.
        training: gradients, optimizer state and master weights.
        activations: what a forward and backward pass keeps.
        available: what is free.
        where: `GPU` or `main memory`.
    """

    weights: int
    training: int
    activations: int
    available: int
    where: str

    @property
    def total(self) -> int:
        """All of it."""
        return self.weights + self.training + self.activations + _PROCESS

    def sentence(self) -> str:
        """For people: what it needs and what there is."""
        return (
            f"about {self.total / _GIB:.1f} GiB needed, "
            f"{self.available / _GIB:.1f} GiB free ({self.where})"
        )


def check_fits(facts: ModelFacts, training: Training, settings: Settings) -> MemoryNeed:
    """Estimate a run's memory.

    Raises:
        NotAvailable: it needs more than there is; says how much, and what would need less.
    """
    need = estimate(facts, training, *available_memory())
    if need.total > need.available:
        lighter = (
            "use LoRA instead of full fine-tuning, a smaller batch or a smaller base model"
            if training.method == "full"
            else "choose a smaller base model or a smaller batch, or a machine with more memory"
        )
        raise NotAvailable(
            "the base model is too large for this machine", why=need.sentence(), fix=lighter
        )
    return need


def estimate(facts: ModelFacts, training: Training, available: int, where: str) -> MemoryNeed:
    """The estimate alone: it is meant to be right within a third, and rather too high."""
    count = facts.parameters
    wide = training.precision == "fp32"
    if training.method == "full":
        weights = 4 * count  # master weights in fp32
        extra = 12 * count  # gradients and Adam's two moments
    elif not training.trains:
        weights = (4 if wide else 2) * count
        extra = 0
    else:
        weights = (4 if wide else 2) * count
        adapted = 14 * facts.layers * facts.hidden * training.lora_rank * 2
        extra = 16 * adapted
    if not training.trains:
        # Keys and values of a batch of tokens in 16 bits, and the logits of its rows.
        reading = _READ_TOKENS * facts.layers * facts.hidden * (8 if wide else 4)
        return MemoryNeed(weights, 0, reading + _READ_ROWS * 4 * facts.vocabulary, available, where)
    tokens = (training.batch_size or 8) * min(training.max_length or 512, 256)
    # A transformer layer keeps about 34 bytes per token and unit of width in 16 bits; recomputing
    # keeps each layer's input alone. The logits and their gradient are in fp32.
    per_layer = 4 if training.gradient_checkpointing else 34 * (2 if wide else 1)
    activations = tokens * (facts.layers * facts.hidden * per_layer + 12 * facts.vocabulary)
    return MemoryNeed(weights, extra, activations, available, where)


def available_memory() -> tuple[int, str]:
    """Free bytes, and where: the GPU when there is one, or main memory (within its cgroup)."""
    gpu = _gpu_free()
    if gpu is not None:
        return gpu, "GPU"
    import psutil

    free = int(psutil.virtual_memory().available)
    limit = _cgroup_free()
    return (free if limit is None else min(free, limit)), "main memory"


def _gpu_free() -> int | None:
    """Free bytes of the first GPU, asked of its driver so that torch need not be loaded."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return None
    try:
        answer = subprocess.run(
            [tool, "--query-gpu=memory.free", "--format=csv,noheader,nounits"],
            capture_output=True, text=True, timeout=10, check=True,
        ).stdout  # fmt: skip
        return int(answer.split()[0]) * 2**20
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return None


def _cgroup_free() -> int | None:
    folder = Path("/sys/fs/cgroup")
    try:
        limit = (folder / "memory.max").read_text().strip()
        used = int((folder / "memory.current").read_text())
        return None if limit == "max" else max(0, int(limit) - used)
    except (OSError, ValueError):
        return None

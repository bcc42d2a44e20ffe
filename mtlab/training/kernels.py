"""Fused kernels for a step's time, on one CUDA device: Liger's, `torch.compile`'s, LoRA's products.

All are for steps that compute in 16 bits, and are off at all other times: translating, that of
probes in the midst of training too, is done with the model's own layers, whatever is installed.

liger     where the package `liger-kernel` is installed: norms, RoPE and gated MLPs. Its fused
          losses are left out: they spare the logits of a whole batch, of which only those of
          target tokens are made here (`order.Collator`, `batching.Flattener`)
compile   where `MTLAB_COMPILE=1` asks for it, and the run is long enough to win back the minute
          that compiling takes; in place of Liger's kernels, whose work it does. Each decoder layer
          is compiled for itself, for batches of any length
lora      LoRA's products in few passes over memory (`lora`), beside either

Liger's and LoRA's were tried on an H200 (docs/speed.md); `compile` has never run here on a GPU.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch

from mtlab.models import Loaded
from mtlab.settings import Settings
from mtlab.spec import Training
from mtlab.training import lora
from mtlab.training.masters import computes_in_16_bits

COMPILE_STEPS = 500
"""The fewest steps that are worth compiling for."""

FAMILIES = frozenset(
    {"gemma2", "gemma3_text", "llama", "mistral", "qwen2", "qwen3", "smollm3"}
)  # those in which Liger replaces nothing but what can be put back afterwards
_LIGER = {"cross_entropy": False, "fused_linear_cross_entropy": False}
_ABSENT = object()


@dataclass(frozen=True)
class Kernels:
    """What steps are made with in place of a model's own layers.

    Attributes:
        names: `lora`, `liger` or `compile`; empty where layers are the model's own.
        changes: what is set for a step's time: where, under which name, to what.
    """

    names: tuple[str, ...] = ()
    changes: tuple[tuple[dict[str, Any], str, Any], ...] = ()

    def __add__(self, other: Kernels) -> Kernels:
        """Both at once."""
        return Kernels(self.names + other.names, self.changes + other.changes)

    @property
    def compiles(self) -> bool:
        """Whether something is compiled when it is first called."""
        return "compile" in self.names

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Set the changes; afterwards all is as before."""
        if not self.changes:
            yield
            return
        before = [(names, key, names.get(key, _ABSENT)) for names, key, _ in self.changes]
        try:
            for names, key, value in self.changes:
                names[key] = value
            with _forgiving() if self.compiles else nullcontext():
                yield
        finally:
            _put_back(before)


def kernels_for(loaded: Loaded, training: Training, steps: int) -> Kernels:
    """What a training on one device makes its steps with.

    Args:
        loaded: the base; with LoRA, its adapter's layers are already inside.
        training: complete.
        steps: optimizer steps in all.
    """
    if not (loaded.device.startswith("cuda") and computes_in_16_bits(loaded, training)):
        return Kernels()
    own = products(loaded.model)
    if Settings.from_environment().compile and steps >= COMPILE_STEPS:
        return own + compiled(loaded.model)
    from transformers.utils import is_liger_kernel_available

    if loaded.model.config.model_type in FAMILIES and is_liger_kernel_available():
        return own + liger(loaded.model)
    return own


def products(model: Any) -> Kernels:
    """LoRA's products for the layers that can have them; none where there is no adapter."""
    changes = tuple((vars(one), "forward", lora.forward(one)) for one in lora.fused_layers(model))
    return Kernels(("lora",), changes) if changes else Kernels()


def liger(model: Any) -> Kernels:
    """Liger's kernels for a transformers model, which is left as it is; none if it has none.

    Liger patches a model's modules and the module of transformers that defines them, for good.
    """
    from transformers.integrations.liger import apply_liger_kernel

    places: list[dict[str, Any]] = [vars(sys.modules[type(model).__module__])]
    places += [vars(module) for module in model.modules()]
    before = [dict(names) for names in places]
    try:
        apply_liger_kernel(model, _LIGER)
    except Exception:  # noqa: BLE001 - of another version than it was written to: do without
        return Kernels()
    finally:
        changed = [
            (names, key, value, old.get(key, _ABSENT))
            for names, old in zip(places, before, strict=True)
            for key, value in names.items()
            if old.get(key, _ABSENT) is not value
        ]
        _put_back([(names, key, old) for names, key, _, old in changed])
    changes = tuple((names, key, value) for names, key, value, _ in changed)
    return Kernels(("liger",), changes) if changes else Kernels()


def compiled(model: Any, backend: str = "inductor") -> Kernels:
    """A transformers model's layers, compiled when they are first called.

    Args:
        model: left as it is.
        backend: of `torch.compile`.
    """
    from transformers.modeling_layers import GradientCheckpointingLayer

    changes = tuple(
        (
            vars(layer),
            "_compiled_call_impl",
            torch.compile(layer._call_impl, dynamic=True, backend=backend),
        )
        for layer in model.modules()
        if isinstance(layer, GradientCheckpointingLayer)
    )
    return Kernels(("compile",), changes) if changes else Kernels()


def _forgiving() -> AbstractContextManager[None]:
    """What cannot be compiled goes on as it is."""
    import torch._dynamo

    forgiving: AbstractContextManager[None] = torch._dynamo.config.patch(suppress_errors=True)
    return forgiving


def _put_back(before: list[tuple[dict[str, Any], str, Any]]) -> None:
    for names, key, value in before:
        if value is _ABSENT:
            names.pop(key, None)
        else:
            names[key] = value

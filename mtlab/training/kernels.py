"""Fused kernels for a step's time, on one CUDA device: Liger's, `torch.compile`'s, LoRA's products.

All are for steps that compute in 16 bits. Translating, that of probes in the midst of training too,
meets Liger's alone (`mtlab.decoding.inference`).

liger     where its package is installed (`mtlab.models.kernels`)
compile   where `MTLAB_COMPILE=1` asks for it, and the run is long enough to win back the minute
          that compiling takes; in place of Liger's kernels, whose work it does. Each decoder layer
          is compiled for itself, for batches of any length
lora      LoRA's products in few passes over memory (`lora`), beside either

Liger's and LoRA's were tried on an H200 (docs/speed.md); `compile` has never run here on a GPU.
"""

from __future__ import annotations

from typing import Any

import torch

from mtlab.models import Loaded
from mtlab.models.kernels import Kernels, liger_for
from mtlab.settings import Settings
from mtlab.spec import Training
from mtlab.training import lora
from mtlab.training.masters import computes_in_16_bits

COMPILE_STEPS = 500
"""The fewest steps that are worth compiling for."""


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
    return own + liger_for(loaded.model)


def products(model: Any) -> Kernels:
    """LoRA's products for the layers that can have them; none where there is no adapter."""
    changes = tuple((vars(one), "forward", lora.forward(one)) for one in lora.fused_layers(model))
    return Kernels(("lora",), changes) if changes else Kernels()


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

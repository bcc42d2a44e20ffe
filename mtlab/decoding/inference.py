"""How a model is when it translates: nothing is learnt, and it computes as a GPU likes it best."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from mtlab.decoding.attention import beams_attention_for
from mtlab.models.attending import attending
from mtlab.models.kernels import Kernels, liger_for


@contextmanager
def inference(model: Any) -> Iterator[None]:
    """Evaluation mode without gradients, in this thread; the model's own mode is put back then."""
    was_training = model.training
    model.eval()
    try:
        attention = attending(model, beams_attention_for(model))
        with attention, fused_for(model).at_work(), torch.inference_mode():
            yield
    finally:
        model.train(was_training)


def fused_for(model: Any) -> Kernels:
    """What it translates with in place of its own layers: Liger's kernels, in 16 bits on CUDA."""
    if not _in_16_bits_on_gpu(next(model.parameters())):
        return Kernels()
    if not hasattr(model, "_mtlab_fused"):
        model._mtlab_fused = liger_for(model)
    kernels: Kernels = model._mtlab_fused
    return kernels


def _in_16_bits_on_gpu(weight: torch.Tensor) -> bool:
    return weight.is_cuda and weight.dtype in (torch.bfloat16, torch.float16)

"""How a model is when it translates: nothing is learnt, and it attends as beams want it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from mtlab.decoding.attention import beams_attention_for
from mtlab.models.attending import attending


@contextmanager
def inference(model: Any) -> Iterator[None]:
    """Evaluation mode without gradients, in this thread; the model's own mode is put back then."""
    was_training = model.training
    model.eval()
    try:
        with attending(model, beams_attention_for(model)), torch.inference_mode():
            yield
    finally:
        model.train(was_training)

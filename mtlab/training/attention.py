"""Flash attention while a step of training is made, and the model's own at all other times.

Flash attention takes no mask but padding's, and decoding hands over others (`decoding.stepper`),
the decoding of probes in the midst of training too. So no model is loaded with it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mtlab.models import Loaded
from mtlab.spec import Training

FLASH = "flash_attention_2"


def attention_for(loaded: Loaded, training: Training) -> str | None:
    """What steps of training attend with; None for what the model was loaded with.

    Flash attention computes in 16 bits, so that it is taken on CUDA for weights of 16 bits alone,
    never for full fine-tuning, whose weights are in fp32; and for models that read only text.
    """
    from transformers.utils import is_flash_attn_2_available

    config = loaded.model.config
    fits = (
        loaded.device.startswith("cuda")
        and loaded.dtype_name == "bf16"
        and training.method != "full"
        and config.get_text_config() is config
    )
    if fits and is_flash_attn_2_available():
        # Not every architecture has it, nor every GPU.
        with contextlib.suppress(ValueError, ImportError), attending(loaded.model, FLASH):
            return FLASH
    return None


@contextmanager
def attending(model: Any, how: str | None) -> Iterator[None]:
    """Have a transformers model attend in a named way, or as it does where that is None."""
    before = model.config._attn_implementation
    if how is None or how == before:
        yield
        return
    model.set_attn_implementation(how)
    try:
        yield
    finally:
        model.set_attn_implementation(before)

"""Flash attention while a step of training is made, and the model's own at all other times.

Flash attention takes no mask but padding's, and decoding hands over others (`decoding.stepper`),
the decoding of probes in the midst of training too. So no model is loaded with it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mtlab.models import Loaded, quiet
from mtlab.spec import Training
from mtlab.training.masters import computes_in_16_bits

FLASH = "flash_attention_2"


def attention_for(loaded: Loaded, training: Training) -> str | None:
    """What steps of training attend with; None for what the model was loaded with.

    Flash attention computes in 16 bits, so that it is taken on CUDA for steps in 16 bits alone, of
    LoRA or of full fine-tuning whose weights have masters; and for models that read only text.
    """
    from transformers.utils import is_flash_attn_2_available

    config = loaded.model.config
    fits = (
        loaded.device.startswith("cuda")
        and computes_in_16_bits(loaded, training)
        and config.get_text_config() is config
    )
    if fits and is_flash_attn_2_available():
        # Not every architecture has it, nor every GPU. Weights that will have masters are in fp32
        # as yet, against which transformers would warn.
        with contextlib.suppress(ValueError, ImportError), quiet(), attending(loaded.model, FLASH):
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

"""How much is decoded at once: what the spec allows, halved until a batch fits into free memory."""

from __future__ import annotations

from typing import Any

from mtlab.models import Loaded, free_main_memory
from mtlab.spec import Decoding

DEFAULT_BUDGET = 4096
"""Of a spec that leaves it open."""

LEAST = 256

_SHARE = 0.5  # of the free memory: pieces are copied when rows leave a batch
_PROMPT = 64  # tokens of a short prompt: the shorter they are, the more sentences a budget holds


def fitting_budget(
    loaded: Loaded, decoding: Decoding, free: int | None = None, processes: int = 1
) -> int:
    """The token budget of a run: a power of two of halvings below what the spec allows.

    Args:
        loaded: the model.
        decoding: names the largest budget, the beams and the limit.
        free: bytes; asked of the machine when not given.
        processes: that decode at once; a GPU is each one's own, main memory is all of theirs.
    """
    free = _free(loaded.device) if free is None else free
    if not loaded.device.startswith("cuda"):
        free //= processes
    budget = decoding.token_budget or DEFAULT_BUDGET
    while budget > LEAST and batch_bytes(loaded, decoding, budget) > _SHARE * free:
        budget = max(LEAST, budget // 2)
    return budget


def batch_bytes(loaded: Loaded, decoding: Decoding, budget: int) -> int:
    """What a batch of short prompts may take: keys and values of all that is written, and logits.

    Rather too much: answers seldom grow to the limit, and what no beam goes on from is dropped. Of
    a model without attention, which keeps no keys and values, only logits are counted.
    """
    config = loaded.model.config.get_text_config(decoder=True)
    position = _position_bytes(config, 2 if loaded.dtype_name == "bf16" else 4)
    beams = decoding.beams if decoding.strategy == "beam" else 1
    sentences = max(1, budget // (_PROMPT * beams))
    logits = 3 * 4 * beams * config.vocab_size  # in fp32: the model's, their logarithms, a sum
    return int(sentences * (position * (_PROMPT + beams * decoding.token_limit) + logits))


def _position_bytes(config: Any, size: int) -> int:
    """The keys and values of a token, in numbers of `size` bytes."""
    heads = getattr(config, "num_attention_heads", None)
    if not heads:
        return 0
    width = getattr(config, "head_dim", None) or config.hidden_size // heads
    kept = getattr(config, "num_key_value_heads", None) or heads
    return int(2 * config.num_hidden_layers * kept * width * size)


def _free(device: str) -> int:
    if device.startswith("cuda"):
        import torch

        free, _ = torch.cuda.mem_get_info()
        return int(free)
    return free_main_memory()

"""How much is decoded at once: what the spec allows, halved until a batch fits into free memory."""

from __future__ import annotations

from typing import Any

from mtlab.defaults import budget_of
from mtlab.models import ALIVE, Loaded, free_main_memory
from mtlab.spec import Decoding

LEAST = 256

_SHARE = 0.5  # of the free memory: pieces are copied when rows leave a batch
_GPU_SHARE = 0.8  # there a layer's are at a time, and a batch that does not fit is halved
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
    on_gpu = loaded.device.startswith("cuda")
    room = _GPU_SHARE * free if on_gpu else _SHARE * (free // processes)
    budget = budget_of(decoding, on_gpu)
    while budget > LEAST and batch_bytes(loaded, decoding, budget) > room:
        budget = max(LEAST, budget // 2)
    return budget


def batch_bytes(loaded: Loaded, decoding: Decoding, budget: int) -> int:
    """What a batch of short prompts may take: keys and values of all that is written, and logits.

    Rather too much: answers seldom grow to the limit, and what no beam goes on from is dropped; on
    a GPU, where more sentences at once are worth most, the latter is counted. Of a model without
    attention, which keeps no keys and values, only logits are counted.
    """
    config = loaded.model.config.get_text_config(decoder=True)
    position = _position_bytes(config, 2 if loaded.dtype_name == "bf16" else 4)
    beams = decoding.beams if decoding.strategy == "beam" else 1
    sentences = max(1, budget // (_PROMPT * beams))
    logits = 3 * 4 * beams * config.vocab_size  # in fp32: the model's, their logarithms, a sum
    alive = ALIVE if loaded.device.startswith("cuda") and beams > 1 else 1.0
    written = alive * beams * decoding.token_limit
    return int(sentences * (position * (_PROMPT + written) + logits))


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

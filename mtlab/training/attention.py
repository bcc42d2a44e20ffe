"""Flash attention while a step of training is made, and the model's own at all other times.

It knows where the texts of a row begin and end, so that nothing has to be padded (`batching`). It
takes no mask, and decoding hands over one (`decoding.stepper`), the decoding of probes in the midst
of training too. So no model is loaded with it.

FLASH     that of the package `flash-attn`, where it is installed
VARLEN    torch's own, the same kernels, otherwise
"""

from __future__ import annotations

import contextlib
from typing import Any

import torch

from mtlab.models import Loaded, quiet
from mtlab.models.attending import attending, make_known
from mtlab.spec import Training
from mtlab.training.masters import computes_in_16_bits

FLASH = "flash_attention_2"
VARLEN = "torch_varlen"

APART = {FLASH: "flash-attn", VARLEN: "varlen"}
"""Those that keep the texts of a row apart, and what a run says of them."""

PLAIN = frozenset({"llama", "mistral", "qwen2", "qwen3", "smollm3"})
"""The architectures whose attention is softmax over products, and nothing else."""

_WIDEST = 256  # of a head, in torch's kernels


def attention_for(loaded: Loaded, training: Training) -> str | None:
    """What steps of training attend with; None for what the model was loaded with.

    Flash attention computes in 16 bits, so that it is taken on CUDA for steps in 16 bits alone, of
    LoRA or of full fine-tuning whose weights have masters; and for models that read only text.
    """
    from transformers.utils import is_flash_attn_2_available

    config = loaded.model.config
    if not (
        loaded.device.startswith("cuda")
        and computes_in_16_bits(loaded, training)
        and config.get_text_config() is config
    ):
        return None
    if is_flash_attn_2_available():
        # Not every architecture has it, nor every GPU. Weights that will have masters are in fp32
        # as yet, against which transformers would warn.
        with contextlib.suppress(ValueError, ImportError), quiet(), attending(loaded.model, FLASH):
            return FLASH
    if not _is_plain(config, training.max_length):
        return None
    make_known(VARLEN, _varlen, lambda *_, **__: None)
    return VARLEN


def _is_plain(config: Any, longest: int | None) -> bool:
    """Whether torch's attention is what a model's layers compute, of texts up to some length."""
    window = getattr(config, "sliding_window", None)
    width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    seen_whole = not window or (longest is not None and longest <= window)
    return config.model_type in PLAIN and seen_whole and width % 8 == 0 and width <= _WIDEST


def _varlen(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: None,
    *,
    cu_seq_lens_q: torch.Tensor,
    max_length_q: int,
    scaling: float | None = None,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """Causal attention within each text of a row, as transformers' layers call it.

    Args:
        module: the layer's.
        query: (1, heads, tokens, width), as key and value, which may have fewer heads.
        key: of all tokens.
        value: of all tokens.
        attention_mask: none: the bounds say it all.
        cu_seq_lens_q: where texts begin, and the last one ends.
        max_length_q: tokens of the longest.
        scaling: of the products.
    """
    from torch.nn.attention.varlen import varlen_attn

    q, k, v = (states[0].transpose(0, 1) for states in (query, key, value))
    shared: dict[str, Any] = {"enable_gqa": True} if k.shape[1] != q.shape[1] else {}
    seen: Any = varlen_attn(
        q, k, v, cu_seq_lens_q, cu_seq_lens_q, max_length_q, max_length_q,
        scale=scaling, window_size=(-1, 0), **shared,
    )  # fmt: skip
    return seen[None], None

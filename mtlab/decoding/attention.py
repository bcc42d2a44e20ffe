"""Attention of a few queries to many keys under a mask, which is what a GPU decodes beams with.

Torch has flash attention for no mask but the causal one. Of the kernels it takes otherwise, cuDNN's
are planned anew for each shape of a batch, and a batch grows by a token at each step; the others
are made for many queries. Two batched products and a softmax read keys and values once, which is
all there is to do.
"""

from __future__ import annotations

from typing import Any

import torch

from mtlab.models.attending import make_known

BEAMS = "mtlab_beams"

_FEW = 16  # queries


def beams_attention_for(model: Any) -> str | None:
    """What a model decodes with; None for what it was loaded with."""
    on_gpu = next(model.parameters()).is_cuda
    if not on_gpu or model.config._attn_implementation != "sdpa":
        return None
    know_beams()
    return BEAMS


def know_beams() -> None:
    """Tell transformers of it."""
    from transformers.masking_utils import sdpa_mask

    make_known(BEAMS, _attend, sdpa_mask)


def _attend(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    *,
    scaling: float | None = None,
    **more: Any,
) -> tuple[torch.Tensor, None]:
    """As transformers' layers call it; of many queries, or without a mask, torch's own.

    Args:
        module: the layer's.
        query: (rows, heads, queries, width).
        key: (rows, heads or fewer, keys, width), as value.
        value: of all keys.
        attention_mask: (rows, 1, queries, keys): added to the scores, or true where it is seen.
        scaling: of the products.
        more: what torch's own takes.
    """
    rows, heads, queries, width = query.shape
    if attention_mask is None or queries > _FEW:
        from transformers.integrations.sdpa_attention import sdpa_attention_forward

        return sdpa_attention_forward(  # type: ignore[no-any-return]
            module, query, key, value, attention_mask, scaling=scaling, **more
        )
    if attention_mask.dtype == torch.bool:
        lowest = torch.finfo(query.dtype).min
        attention_mask = torch.zeros_like(attention_mask, dtype=query.dtype).masked_fill_(
            ~attention_mask, lowest
        )
    kept, keys = key.shape[1:3]
    shared = heads // kept  # heads that look at the same keys stand side by side as its queries
    mask = attention_mask[:, :, None].expand(rows, 1, shared, queries, keys)
    scale = width**-0.5 if scaling is None else scaling
    asked = (query * scale).reshape(rows * kept, shared * queries, width)
    scores = _products(asked, key.reshape(rows * kept, keys, width).transpose(1, 2))
    scores = scores.view(rows, kept, shared, queries, keys) + mask
    weights = torch.softmax(scores, dim=-1).to(value.dtype)
    seen = torch.bmm(
        weights.view(rows * kept, shared * queries, keys), value.reshape(rows * kept, keys, -1)
    )
    return seen.view(rows, heads, queries, -1).transpose(1, 2).contiguous(), None


def _products(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """Batched products, in fp32."""
    if one.is_cuda and one.dtype != torch.float32:
        return torch.bmm(one, other, out_dtype=torch.float32)
    return torch.bmm(one, other).float()

"""Attention of beams to what they share, as a GPU does it: torch's, without copies of the keys.

A batch's mask is its own, for which torch has the memory-efficient kernel. Transformers repeats
keys and values for it where heads share them, which is a copy of the whole cache at every layer and
step; here the heads that look at the same keys stand side by side as its queries.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention

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
    kept, keys = key.shape[1:3]
    shared = heads // kept
    asked = query.reshape(rows, kept, shared * queries, width)
    mask = attention_mask
    if shared > 1:
        mask = mask[:, :, None].expand(rows, 1, shared, queries, keys).flatten(2, 3)
    seen = scaled_dot_product_attention(asked, key, value, attn_mask=mask, scale=scaling)
    return seen.reshape(rows, heads, queries, -1).transpose(1, 2).contiguous(), None

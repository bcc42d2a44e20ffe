"""A Llama's layer in plain torch, which is timed without loading transformers."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional


class Layer(nn.Module):
    """Attention and a gated feed-forward part, with LoRA's matrices beside each product or without.

    Args:
        width: of the layer.
        inner: of its feed-forward part.
        head: width of an attention head.
        dtype: of the weights.
        rank: of LoRA's matrices; 0 for none, and then all weights are trained.
    """

    def __init__(self, width: int, inner: int, head: int, dtype: torch.dtype, rank: int) -> None:
        super().__init__()
        self.head = head
        sizes = {
            "query": (width, width), "key": (width, width), "value": (width, width),
            "out": (width, width), "gate": (width, inner), "up": (width, inner),
            "down": (inner, width),
        }  # fmt: skip
        self.products = nn.ModuleDict(
            {name: _Product(*size, dtype, rank) for name, size in sizes.items()}
        )
        self.norms = nn.ParameterList(nn.Parameter(torch.ones(width, dtype=dtype)) for _ in "12")
        for norm in self.norms:
            norm.requires_grad_(not rank)

    def forward(self, given: torch.Tensor) -> torch.Tensor:
        """One pass over (sentences, tokens, width)."""
        product = self.products
        there = _normed(given, self.norms[0])
        shape = (*there.shape[:2], -1, self.head)
        query, key, value = (
            product[name](there).view(shape).transpose(1, 2) for name in ("query", "key", "value")
        )
        seen = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        given = given + product["out"](seen.transpose(1, 2).flatten(2))
        there = _normed(given, self.norms[1])
        inside = functional.silu(product["gate"](there)) * product["up"](there)
        made: torch.Tensor = given + product["down"](inside)
        return made


class _Product(nn.Module):
    def __init__(self, size: int, out: int, dtype: torch.dtype, rank: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out, size).mul_(0.02).to(dtype), not rank)
        self.down = nn.Parameter(torch.randn(rank, size) * 0.02) if rank else None
        self.up = nn.Parameter(torch.zeros(out, rank)) if rank else None

    def forward(self, given: torch.Tensor) -> torch.Tensor:
        made = functional.linear(given, self.weight)
        if self.down is None or self.up is None:
            return made
        adapted = functional.linear(given.to(self.down.dtype), self.down)
        return made + 2.0 * functional.linear(adapted, self.up)


def _normed(given: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    wide = given.float()
    wide = wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + 1e-6)
    return weight * wide.to(given.dtype)

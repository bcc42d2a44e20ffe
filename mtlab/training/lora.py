"""LoRA's products in few passes over memory: what peft's layers compute, for steps on a GPU.

peft's layer widens its input to the adapter's fp32, narrows it again for bf16 products, scales what
they give, and adds that to the frozen layer's output in a pass of its own: six passes over tensors
as large as the layer's products, of which a GPU that multiplies fast makes half of a step. Here the
adapter's product is added in the matrix product itself (`addmm`), forth and back, and what is kept
for the way back is the input alone, which layers that read the same share. (The way is that of
Unsloth's LoRA kernels, whose package replaces the models as well.)

    y = x W' + s (x A') B'        A: rank x in, B: out x rank, s: the adapter's scaling
"""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch.nn import functional


def fused_layers(model: Any) -> list[Any]:
    """The layers of an adapted model that `forward` computes as well as peft's own code would.

    Those with dropout, with a bias of the adapter's, or of another kind than plain LoRA over a
    linear layer in bf16 are left out.
    """
    from peft.tuners.lora import Linear

    return [one for one in model.modules() if type(one) is Linear and _is_plain(one)]


def forward(layer: Any) -> Any:
    """What such a layer's `forward` may be for a step's time."""
    return partial(_forward, layer)


def _is_plain(layer: Any) -> bool:
    names = layer.active_adapters
    if layer.merged or len(names) != 1 or names[0] in layer.lora_variant:
        return False
    (name,) = names
    return (
        name in layer.lora_A
        and isinstance(layer.lora_dropout[name], torch.nn.Identity)
        and layer.lora_B[name].bias is None
        and type(layer.base_layer) is torch.nn.Linear
        and layer.base_layer.weight.dtype == torch.bfloat16
        and not layer.base_layer.weight.requires_grad
    )


def _forward(layer: Any, x: torch.Tensor) -> torch.Tensor:
    (name,) = layer.active_adapters
    base = layer.base_layer
    given: torch.Tensor = _Product.apply(
        x, base.weight, base.bias, layer.lora_A[name].weight, layer.lora_B[name].weight,
        layer.scaling[name],
    )  # type: ignore[no-untyped-call]  # fmt: skip
    return given


class _Product(torch.autograd.Function):
    """The layer's output; its gradients are those of the input, of A and of B."""

    @staticmethod
    def forward(  # noqa: D102
        ctx: Any,
        x: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor | None,
        a: torch.Tensor,
        b: torch.Tensor,
        scaling: float,
    ) -> torch.Tensor:
        rows = x.to(weight.dtype).flatten(0, -2)
        down, up = a.to(weight.dtype), (scaling * b).to(weight.dtype)
        given = functional.linear(rows, weight, bias)
        given.addmm_(rows @ down.T, up.T)
        ctx.save_for_backward(rows, weight, down, up)
        ctx.scaling, ctx.like, ctx.states = scaling, x.dtype, (a.dtype, b.dtype)
        return given.view(*x.shape[:-1], -1)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:  # noqa: D102
        rows, weight, down, up = ctx.saved_tensors
        (gradient,) = gradients
        out = gradient.to(weight.dtype).flatten(0, -2)
        narrow = out @ up
        of_a = (narrow.T @ rows).to(ctx.states[0])
        of_b = (ctx.scaling * (out.T @ (rows @ down.T))).to(ctx.states[1])
        of_x = None
        if ctx.needs_input_grad[0]:
            of_x = torch.mm(out, weight).addmm_(narrow, down)
            of_x = of_x.view(*gradient.shape[:-1], -1).to(ctx.like)
        return of_x, None, None, of_a, of_b, None

"""Full fine-tuning whose steps compute with bf16 weights, while what is learnt is kept in fp32.

A step of Adam is often smaller than the gap between two bf16 numbers, and would be lost in one. So
each weight has a master in fp32: the optimizer and its moments are the masters', and after a step
the model's weights are the masters, rounded. Gradients come out of bf16 products, as they do under
autocast, and are added up in fp32 (torch's `grad_dtype`), so that a step may be made in any number
of passes; so are those of a token that comes by more than once in a pass. Against autocast over
fp32 weights it saves the casts of every pass and the fp32 stream between layers, and flash
attention can be had. The memory is the same: 18 bytes a parameter.

Outside steps there are only masters: checkpoints hold them and a plain AdamW's state, and so are
those of any other training, and what is saved at the end is in fp32 as ever.

None of the libraries that were looked at does this on one device: torchao's and optimi's AdamW
round at random or compensate in bf16 instead, Transformer Engine's and Apex's have masters, but
must be built for the CUDA at hand. Sharded training (`sharding`) has its own, FSDP's; DDP would
add up gradients among processes in bf16, and keeps fp32 weights.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.utils.hooks import RemovableHandle

from mtlab.models import Loaded, resolve_precision
from mtlab.spec import Training


def keeps_masters(loaded: Loaded, training: Training) -> bool:
    """Whether a training on one device is made so: full fine-tuning in bf16, on CUDA.

    Models that read more than text keep fp32 weights, and so do those of which transformers keeps
    some modules in fp32, whatever the rest is in.
    """
    model = loaded.model
    return (
        training.method == "full"
        and loaded.device.startswith("cuda")
        and resolve_precision(training.precision, loaded.device) == "bf16"
        and model.config.get_text_config() is model.config
        and not getattr(model, "_keep_in_fp32_modules_strict", None)
    )


def computes_in_16_bits(loaded: Loaded, training: Training) -> bool:
    """Whether layers pass bf16 on, where one device trains: LoRA on bf16 weights, or masters."""
    if training.method == "full":
        return keeps_masters(loaded, training)
    return loaded.dtype_name == "bf16"


class Masters:
    """The fp32 weights of a model, whose own become bf16.

    Args:
        model: with its weights in fp32, those of the checkpoint that it goes on from.
        optimizer: over them, before its first step; afterwards it is over the masters.
    """

    def __init__(self, model: Any, optimizer: torch.optim.Optimizer) -> None:
        trained = [weight for weight in model.parameters() if weight.requires_grad]
        self._weights = [weight for weight in trained if weight.dtype == torch.float32]
        self._masters = [weight.data for weight in self._weights]
        for weight in self._weights:
            weight.data = weight.data.bfloat16()
            weight.grad_dtype = torch.float32
        of = {id(weight): master for weight, master in self._pairs()}
        for group in optimizer.param_groups:
            group["params"] = [of.get(id(weight), weight) for weight in group["params"]]
        tables = [one for one in model.modules() if isinstance(one, torch.nn.Embedding)]
        self._hooks = [
            hook for one in tables if id(one.weight) in of for hook in _add_up_in_fp32(one)
        ]
        optimizer.register_step_pre_hook(self._hand_over)
        optimizer.register_step_post_hook(self._round)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Let the model's weights be the masters themselves."""
        rounded = [weight.data for weight in self._weights]
        self._put_masters()
        try:
            yield
        finally:
            for weight, own in zip(self._weights, rounded, strict=True):
                weight.data = own

    def restore(self) -> None:
        """Make the masters the model's weights, and the model what it was."""
        self._put_masters()
        for hook in self._hooks:
            hook.remove()

    def _put_masters(self) -> None:
        for weight, master in self._pairs():
            weight.data = master

    def _pairs(self) -> Iterator[tuple[torch.nn.Parameter, torch.Tensor]]:
        return zip(self._weights, self._masters, strict=True)

    def _hand_over(self, *_: Any) -> None:
        for weight, master in self._pairs():
            master.grad = weight.grad

    @torch.no_grad()
    def _round(self, *_: Any) -> None:
        torch._foreach_copy_(self._weights, self._masters)
        for master in self._masters:
            master.grad = None


def _add_up_in_fp32(table: torch.nn.Embedding) -> list[RemovableHandle]:
    """Have the gradients of an embedding add up in fp32; its own backward pass adds up in bf16.

    A token may come by hundreds of times in a batch, and bf16 sums stand still before that.
    """

    def widen(module: torch.nn.Module, _: Any) -> None:
        if torch.is_grad_enabled():
            weight = module._parameters["weight"]
            assert weight is not None
            vars(module)["weight"] = weight.float()  # found before the parameter

    def narrow(module: torch.nn.Module, _: Any, output: torch.Tensor) -> torch.Tensor:
        return output if vars(module).pop("weight", None) is None else output.bfloat16()

    return [table.register_forward_pre_hook(widen), table.register_forward_hook(narrow)]


class Mastering:
    """What a Trainer does otherwise where weights have masters (a base class beside Trainer)."""

    _masters: Masters | None = None

    def create_optimizer(self, model: Any = None) -> torch.optim.Optimizer:
        """Trainer's own over the masters; a checkpoint's weights have been read by then."""
        optimizer: torch.optim.Optimizer = super().create_optimizer(model)  # type: ignore[misc]
        self._masters = Masters(self.model, optimizer)  # type: ignore[attr-defined]
        return optimizer

    def save_model(self, output_dir: str | None = None, _internal_call: bool = False) -> None:
        """Write a checkpoint's weights: the masters."""
        assert self._masters is not None
        with self._masters.in_place():
            super().save_model(output_dir, _internal_call)  # type: ignore[misc]

    def train(self, resume_from_checkpoint: str | None = None, **more: Any) -> Any:
        """Train; afterwards the model's weights are the masters."""
        try:
            return super().train(resume_from_checkpoint=resume_from_checkpoint, **more)  # type: ignore[misc]
        finally:
            if self._masters is not None:
                self._masters.restore()

"""A model that does not fit one device, in shares on several: FSDP 2, through accelerate.

Each process holds a share of every weight, of its gradient and of Adam's moments, and sees a
layer's whole weights only while it computes with them. What is written is whole all the same, in
the files of any other training: each of them may go on from the other's checkpoints.

The adapter's weights are in fp32 beside a base in bf16. FSDP 2 wants one format among the weights
that are trained in a layer, and those of the frozen base may have another, so nothing is converted;
FSDP 1, which lays all of a layer's weights into one buffer, could not hold them.

Importing this module imports torch's FSDP.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch
from accelerate.utils import (  # type: ignore[import-untyped]
    DistributedType,
    FullyShardedDataParallelPlugin,
)
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    get_optimizer_state_dict,
    set_optimizer_state_dict,
)

_WHOLE = StateDictOptions(full_state_dict=True, cpu_offload=True)


class Sharding:
    """What a Trainer does otherwise where its model is in shares (a base class beside Trainer)."""

    def create_accelerator_and_postprocess(self) -> None:
        """Have accelerate shard on a CPU as on GPUs.

        Torch does, over gloo; accelerate, asked for it on a CPU, silently trains with DDP instead.
        """
        super().create_accelerator_and_postprocess()  # type: ignore[misc]
        state = self.accelerator.state  # type: ignore[attr-defined]
        if state.distributed_type == DistributedType.MULTI_CPU:
            plugin = FullyShardedDataParallelPlugin(**self.args.fsdp_plugin_args)  # type: ignore[attr-defined]
            if state.mixed_precision != "no":
                plugin.set_mixed_precision(state.mixed_precision)
            state.distributed_type, state.fsdp_plugin = DistributedType.FSDP, plugin
            self.is_fsdp_enabled = True

    def train(self, resume_from_checkpoint: str | None = None, **more: Any) -> Any:
        """Train; the weights of a checkpoint are read before the model is in shares."""
        if resume_from_checkpoint is not None:
            self.is_fsdp_enabled = False
            super()._load_from_checkpoint(resume_from_checkpoint)  # type: ignore[misc]
            self.is_fsdp_enabled = True
        return super().train(resume_from_checkpoint=resume_from_checkpoint, **more)  # type: ignore[misc]

    def whole_weights(self) -> dict[str, Any]:
        """All weights that are trained, for `save_pretrained`; only the first process gets them."""
        model: Any = self.model  # type: ignore[attr-defined]
        adapts = hasattr(model, "peft_config")
        options = StateDictOptions(
            full_state_dict=True, cpu_offload=True, ignore_frozen_params=adapts
        )
        return {"state_dict": get_model_state_dict(model, options=options)}

    def save_model(self, output_dir: str | None = None, _internal_call: bool = False) -> None:
        """Write the weights of a checkpoint as a training by one process writes them."""
        weights = self.whole_weights()
        if self.args.should_save:  # type: ignore[attr-defined]
            os.makedirs(str(output_dir), exist_ok=True)
            self.model.save_pretrained(output_dir, **weights)  # type: ignore[attr-defined]

    def _save_optimizer_and_scheduler(self, output_dir: str) -> None:
        optimizer = self.optimizer.optimizer  # type: ignore[attr-defined]
        state = get_optimizer_state_dict(self.model, optimizer, options=_WHOLE)  # type: ignore[attr-defined]
        if self.args.should_save:  # type: ignore[attr-defined]
            torch.save(_numbered(state), Path(output_dir) / "optimizer.pt")
            torch.save(self.lr_scheduler.state_dict(), Path(output_dir) / "scheduler.pt")  # type: ignore[attr-defined]

    def _load_from_checkpoint(self, *_: Any) -> None:
        """Already done, before the model was in shares."""

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        if checkpoint is None:
            return
        model: Any = self.model  # type: ignore[attr-defined]
        optimizer = self.optimizer.optimizer  # type: ignore[attr-defined]
        state = torch.load(Path(checkpoint) / "optimizer.pt", map_location="cpu", weights_only=True)
        named = _named(state, model, optimizer)
        set_optimizer_state_dict(model, optimizer, optim_state_dict=named, options=_WHOLE)
        schedule = torch.load(Path(checkpoint) / "scheduler.pt", weights_only=True)
        self.lr_scheduler.load_state_dict(schedule)  # type: ignore[attr-defined]


def _numbered(state: dict[str, Any]) -> dict[str, Any]:
    """An optimizer's state with its weights by number, in their order, instead of by name."""
    names = [name for group in state["param_groups"] for name in group["params"]]
    numbers = {name: number for number, name in enumerate(names)}
    return {
        "state": {numbers[name]: value for name, value in state["state"].items()},
        "param_groups": [
            {**group, "params": [numbers[name] for name in group["params"]]}
            for group in state["param_groups"]
        ],
    }


def _named(state: dict[str, Any], model: Any, optimizer: Any) -> dict[str, Any]:
    """The state that `_numbered` or a plain optimizer gives, by the names of a model's weights."""
    name_of = {id(weight): name for name, weight in model.named_parameters()}
    names = [name_of[id(weight)] for group in optimizer.param_groups for weight in group["params"]]
    return {
        "state": {names[number]: value for number, value in state["state"].items()},
        "param_groups": [
            {**group, "params": [names[number] for number in group["params"]]}
            for group in state["param_groups"]
        ],
    }

"""LoRA's products in few passes: what peft computes, for a step's time and for plain layers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model

from mtlab.models import Loaded, load
from mtlab.models.kernels import Kernels
from mtlab.presets import Base
from mtlab.settings import Settings
from mtlab.spec import Training
from mtlab.training.kernels import kernels_for, products
from mtlab.training.lora import fused_layers


@pytest.fixture
def loaded(tiny_model: Path, home: Settings) -> Loaded:
    base = Base("tiny", "tiny", path=tiny_model)
    return load(base, precision="bf16", device="cpu", settings=home)


def adapted(loaded: Loaded, **changes: Any) -> Any:
    config = LoraConfig(
        **{"r": 4, "lora_alpha": 8, "target_modules": "all-linear", "task_type": "CAUSAL_LM"}
        | changes
    )
    model = get_peft_model(loaded.model, config)
    torch.manual_seed(1)
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.1)
    return model.train()


def learnt(model: Any, kernels: Kernels) -> tuple[float, torch.Tensor]:
    model.zero_grad()
    torch.manual_seed(2)
    ids = torch.randint(3, 250, (3, 20))
    with kernels.at_work(), torch.autocast("cpu", torch.bfloat16):
        loss = model(input_ids=ids, labels=ids).loss
        loss.backward()
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    assert all(weight.grad is not None and weight.grad.dtype == torch.float32 for weight in weights)
    return float(loss.detach()), torch.cat([weight.grad.flatten() for weight in weights])


@pytest.mark.parametrize("again", [False, True])
def test_they_teach_what_pefts_do(loaded: Loaded, again: bool) -> None:
    model = adapted(loaded)
    if again:
        model.enable_input_require_grads()
        model.gradient_checkpointing_enable({"use_reentrant": False})
    kernels = products(loaded.model)
    assert kernels.names == ("lora",) and len(kernels.changes) == 2 * 7
    loss, gradients = learnt(model, Kernels())
    again_loss, others = learnt(model, kernels)
    assert again_loss == pytest.approx(loss, rel=2e-3)
    off = (others - gradients).norm() / gradients.norm()
    assert 0 < off < 0.05, "rounded in other places, and nothing else"
    assert learnt(model, Kernels())[0] == loss, "steps alone meet them"
    assert not any("forward" in vars(one) for one in fused_layers(loaded.model))


@pytest.mark.parametrize(
    "changes", [{"lora_dropout": 0.1}, {"use_dora": True}, {"lora_bias": True, "bias": "none"}]
)
def test_other_layers_are_left_to_peft(loaded: Loaded, changes: dict[str, Any]) -> None:
    adapted(loaded, **changes)
    assert fused_layers(loaded.model) == [] and products(loaded.model) == Kernels()


def test_a_merged_adapter_and_fp32_are_left_to_peft(loaded: Loaded) -> None:
    model = adapted(loaded)
    assert len(fused_layers(loaded.model)) == 14
    model.merge_adapter()
    assert fused_layers(loaded.model) == []
    model.unmerge_adapter()
    loaded.model.float()
    assert fused_layers(loaded.model) == []


def test_they_are_for_steps_on_a_gpu(loaded: Loaded) -> None:
    adapted(loaded)
    there = replace(loaded, device="cuda")
    assert kernels_for(there, Training(method="lora"), 10).names[0] == "lora"
    assert kernels_for(loaded, Training(method="lora"), 10) == Kernels()

"""Liger's kernels and compiled layers: when they are taken, and that only steps meet them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import MethodType, ModuleType
from typing import Any

import pytest
import torch

from mtlab.decoding import inference
from mtlab.models import Loaded, load
from mtlab.models.kernels import Kernels, liger_for
from mtlab.presets import Base
from mtlab.prompts import Example
from mtlab.settings import Settings
from mtlab.spec import Training
from mtlab.training import fine_tune, tuning
from mtlab.training.kernels import COMPILE_STEPS, compiled, kernels_for

LORA, FULL = Training(method="lora"), Training(method="full", precision="bf16")


@pytest.fixture
def loaded(tiny_model: Path, home: Settings) -> Loaded:
    base = Base("tiny", "tiny", path=tiny_model)
    return load(base, precision="bf16", device="cpu", settings=home)


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch, loaded: Loaded) -> list[dict[str, Any]]:
    """Stands for liger-kernel, and patches a Llama as that does; gives what it was asked for."""
    asked: list[dict[str, Any]] = []

    def apply(model: Any, **config: Any) -> None:
        asked.append(config)
        module = sys.modules[type(model).__module__]
        own = module.apply_rotary_pos_emb
        module.apply_rotary_pos_emb = lambda *args, **more: own(*args, **more)  # type: ignore[attr-defined]
        for layer in model.model.layers:
            layer.mlp.forward = MethodType(lambda self, x: type(self).forward(self, x), layer.mlp)

    stand_in = ModuleType("liger_kernel.transformers")
    stand_in._apply_liger_kernel_to_instance = apply  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "liger_kernel", ModuleType("liger_kernel"))
    monkeypatch.setitem(sys.modules, "liger_kernel.transformers", stand_in)
    for place in ("transformers.utils", "transformers.integrations.liger"):
        monkeypatch.setattr(f"{place}.is_liger_kernel_available", lambda: True)
    return asked


def patched(model: Any) -> bool:
    module = sys.modules[type(model).__module__]
    there = {"forward" in vars(layer.mlp) for layer in model.model.layers}
    there.add(module.apply_rotary_pos_emb.__name__ == "<lambda>")
    assert len(there) == 1, "all of it or nothing"
    return there.pop()


def test_liger_is_taken_on_cuda_for_steps_in_16_bits(
    loaded: Loaded, package: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mtlab.models.device.fast_bf16", lambda *_: True)
    there = replace(loaded, device="cuda")
    for training in (LORA, FULL):
        assert kernels_for(there, training, 10).names == ("liger",)
    assert package[0] == {"cross_entropy": False, "fused_linear_cross_entropy": False}
    assert kernels_for(loaded, LORA, 10) == Kernels(), "a CPU has none"
    assert kernels_for(replace(there, dtype_name="fp32"), LORA, 10) == Kernels()
    monkeypatch.setattr(loaded.model.config, "model_type", "mixtral")
    assert kernels_for(there, LORA, 10) == Kernels()
    monkeypatch.setattr(loaded.model.config, "model_type", "llama")
    monkeypatch.setattr("transformers.utils.is_liger_kernel_available", lambda: False)
    assert kernels_for(there, LORA, 10) == Kernels()


def test_its_patches_are_on_for_a_while_alone(
    loaded: Loaded, package: list[dict[str, Any]]
) -> None:
    kernels = liger_for(loaded.model)
    assert not patched(loaded.model)
    with pytest.raises(KeyError), kernels.at_work():
        assert patched(loaded.model)
        raise KeyError
    assert not patched(loaded.model)


def test_translating_meets_them_in_16_bits_on_a_gpu(
    loaded: Loaded, package: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    with inference.inference(loaded.model):
        assert not patched(loaded.model), "a CPU"
    monkeypatch.setattr(inference, "_in_16_bits_on_gpu", lambda weight: True)
    for _ in range(2):
        with inference.inference(loaded.model):
            assert patched(loaded.model)
        assert not patched(loaded.model)
    assert len(package) == 1, "what they change is found once"


def test_another_version_of_it_is_done_without(
    loaded: Loaded, package: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = sys.modules["liger_kernel.transformers"]._apply_liger_kernel_to_instance

    def breaks(model: Any, **config: Any) -> None:
        whole(model, **config)
        raise AttributeError("no such norm")

    monkeypatch.setattr(
        sys.modules["liger_kernel.transformers"], "_apply_liger_kernel_to_instance", breaks
    )
    assert liger_for(loaded.model) == Kernels() and not patched(loaded.model)


def test_layers_are_compiled_where_it_is_asked_for_in_long_runs(
    loaded: Loaded, package: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    there = replace(loaded, device="cuda")
    asked: list[dict[str, Any]] = []
    monkeypatch.setattr(torch, "compile", lambda call, **more: asked.append(more) or call)
    monkeypatch.setenv("MTLAB_COMPILE", "1")
    assert kernels_for(there, LORA, COMPILE_STEPS).names == ("compile",)
    layers = len(loaded.model.model.layers)
    assert asked == [{"dynamic": True, "backend": "inductor"}] * layers
    assert kernels_for(there, LORA, COMPILE_STEPS - 1).names == ("liger",)
    assert kernels_for(loaded, LORA, COMPILE_STEPS) == Kernels(), "a CPU"
    monkeypatch.delenv("MTLAB_COMPILE")
    assert kernels_for(there, LORA, COMPILE_STEPS).names == ("liger",)


def in_a_training(
    loaded: Loaded, folder: Path, kernels: Callable[[Any], Kernels], seen: Callable[[], bool],
    monkeypatch: pytest.MonkeyPatch,
) -> tuple[set[bool], set[bool], list[str]]:  # fmt: skip
    """What is seen in steps and in probes, and the notes of the training."""
    monkeypatch.setattr(tuning, "kernels_for", lambda one, *_: kernels(one.model))
    steps: list[bool] = []
    probes: list[bool] = []
    notes: list[str] = []
    loaded.model.model.register_forward_pre_hook(lambda *_: steps.append(seen()))
    training = Training(
        method="lora", learning_rate=1e-3, steps=2, batch_size=1, accumulation=1, lora_rank=2,
        precision="bf16", gradient_checkpointing=True, max_length=64, checkpoint_steps=5,
    )  # fmt: skip
    trained = fine_tune(
        loaded, [Example((3, 4, 5, 2), (-100, -100, 5, 2), "test:0")], training, 7, folder,
        lambda kind, **data: notes.append(data["text"]) if kind == "note" else None,
        probe=lambda _: probes.append(seen()),
    )  # fmt: skip
    assert trained.steps == 2 and trained.kernels == kernels(loaded.model).names
    return set(steps), set(probes), notes


def test_only_steps_meet_liger(
    loaded: Loaded, package: list[dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = in_a_training(loaded, tmp_path, liger_for, lambda: patched(loaded.model), monkeypatch)
    assert found == ({True}, {False}, ["steps are made with liger"])
    assert not patched(loaded.model)


def test_only_steps_meet_compiled_layers_and_learn_the_same(
    loaded: Loaded, tiny_model: Path, home: Settings, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    plain = load(
        Base("tiny", "tiny", path=tiny_model), precision="bf16", device="cpu", settings=home
    )
    in_a_training(plain, tmp_path / "plain", lambda _: Kernels(), lambda: False, monkeypatch)

    def seen() -> bool:
        return loaded.model.model.layers[0]._compiled_call_impl is not None

    found = in_a_training(
        loaded, tmp_path / "compiled", lambda model: compiled(model, "eager"), seen, monkeypatch
    )
    assert found == ({True}, {False}, ["steps are made with compile"])
    assert not seen()
    mine, theirs = loaded.model.state_dict(), plain.model.state_dict()
    assert all(torch.equal(value, theirs[name]) for name, value in mine.items())

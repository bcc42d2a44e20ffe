"""bf16 weights over fp32 masters: what fp32 weights learn, resumed to the bit, nothing lost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch.optim.optimizer import register_optimizer_step_pre_hook

from mtlab.models import Loaded, load
from mtlab.presets import Base
from mtlab.prompts import Example
from mtlab.settings import Settings
from mtlab.spec import Training
from mtlab.training import Trained, fine_tune, tuning
from mtlab.training.masters import Masters, computes_in_16_bits, keeps_masters

FULL = Training(method="full", precision="bf16")


def example(index: int) -> Example:
    ids = tuple(3 + (index * 7 + place * 11) % 250 for place in range(6 + index % 5))
    return Example((*ids, 2), (*[-100] * 4, *ids[4:], 2), f"test:{index}")


EXAMPLES = [example(index) for index in range(10)]


@pytest.fixture
def load_tiny(tiny_model: Path, home: Settings) -> Callable[[], Loaded]:
    base = Base("tiny", "tiny", path=tiny_model)
    return lambda: load(base, precision="fp32", device="cpu", settings=home)


@pytest.fixture
def forced(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """Says whether full fine-tuning on this CPU has masters, which it never has by itself."""
    return lambda yes: monkeypatch.setattr(
        tuning, "keeps_masters", lambda _, training: yes and training.method == "full"
    )


def tune(
    loaded: Loaded, folder: Path, stop_after: int | None = None, **changes: Any
) -> tuple[Trained, list[float]]:
    losses: list[float] = []

    def emit(kind: str, **data: Any) -> None:
        if kind == "step":
            losses.append(data["loss"])

    training = Training(
        method="full", precision="bf16", learning_rate=1e-3, steps=10, batch_size=2,
        accumulation=2, gradient_checkpointing=False, max_length=64, checkpoint_steps=5,
        lora_rank=4,
    ).model_copy(update=changes)  # fmt: skip
    stop = (lambda: False) if stop_after is None else (lambda: len(losses) + 1 >= stop_after)
    folder.mkdir(exist_ok=True)
    return fine_tune(loaded, EXAMPLES, training, 7, folder, emit, stop), losses


def same(one: Loaded, other: Loaded) -> bool:
    mine, theirs = one.model.state_dict(), other.model.state_dict()
    return mine.keys() == theirs.keys() and all(
        torch.equal(value, theirs[name]) for name, value in mine.items()
    )


def test_they_are_for_full_fine_tuning_in_bf16_on_cuda(
    load_tiny: Callable[[], Loaded], monkeypatch: pytest.MonkeyPatch
) -> None:
    here = load_tiny()
    there = replace(here, device="cuda")
    monkeypatch.setattr("mtlab.models.device.fast_bf16", lambda *_: True)
    assert keeps_masters(there, FULL) and computes_in_16_bits(there, FULL)
    assert not keeps_masters(here, FULL), "on a CPU they save too little"
    assert not keeps_masters(there, FULL.model_copy(update={"precision": "fp32"}))
    lora = FULL.model_copy(update={"method": "lora"})
    assert not keeps_masters(there, lora) and not computes_in_16_bits(there, lora)
    assert computes_in_16_bits(replace(there, dtype_name="bf16"), lora)
    there.model._keep_in_fp32_modules_strict = {"router"}
    assert not keeps_masters(there, FULL), "some of its modules are not to be rounded"


def test_they_learn_what_fp32_weights_learn(
    load_tiny: Callable[[], Loaded], tmp_path: Path, forced: Callable[[bool], None]
) -> None:
    seen: list[torch.dtype] = []
    losses = {}
    for masters in (False, True):
        forced(masters)
        loaded = load_tiny()
        loaded.model.model.norm.register_forward_pre_hook(
            lambda _, args: seen.append(args[0].dtype)
        )
        trained, losses[masters] = tune(loaded, tmp_path / f"{masters}")
        assert loaded.model.dtype == torch.float32, "afterwards it is the masters"
        assert trained.kernels == ("bf16-masters",) * masters
        saved = load_file(trained.path / "model.safetensors")
        assert {value.dtype for value in saved.values()} == {torch.float32}
        assert "float32" in (trained.path / "config.json").read_text(encoding="utf-8")
        assert any(bool((value != value.bfloat16()).any()) for value in saved.values())
    assert set(seen[: len(seen) // 2]) == {torch.float32}
    assert set(seen[len(seen) // 2 :]) == {torch.bfloat16}, "what passes from layer to layer"
    # One bf16 number in 256 apart at 5 nats; more passes than one make each step.
    assert losses[True] == pytest.approx(losses[False], abs=0.02)
    assert losses[False][0] - losses[False][-1] > 0.1, "a loss that fell"


def test_stopped_and_resumed_is_bit_for_bit_the_same(
    load_tiny: Callable[[], Loaded], tmp_path: Path, forced: Callable[[bool], None]
) -> None:
    forced(True)
    at_once, first, resumed = load_tiny(), load_tiny(), load_tiny()
    tune(at_once, tmp_path / "once")
    stopped, _ = tune(first, tmp_path / "twice", stop_after=4)
    assert stopped.stopped and stopped.steps == 4
    trained, _ = tune(resumed, tmp_path / "twice")
    assert trained.steps == 10
    assert same(at_once, resumed)


def test_a_training_with_fp32_weights_goes_on_from_its_checkpoint(
    load_tiny: Callable[[], Loaded], tmp_path: Path, forced: Callable[[bool], None]
) -> None:
    forced(True)
    _, losses = tune(load_tiny(), tmp_path / "run", stop_after=4)
    saved = load_file(tmp_path / "run" / "checkpoint-4" / "model.safetensors")
    assert {value.dtype for value in saved.values()} == {torch.float32}
    forced(False)
    trained, rest = tune(load_tiny(), tmp_path / "run")
    assert trained.steps == 10 and trained.kernels == ()
    _, whole = tune(load_tiny(), tmp_path / "whole")
    assert losses + rest == pytest.approx(whole, abs=0.02)


def test_an_adapter_is_trained_as_ever(
    load_tiny: Callable[[], Loaded], tmp_path: Path, forced: Callable[[bool], None]
) -> None:
    tuned = []
    for masters in (False, True):
        forced(masters)
        tuned.append(load_tiny())
        assert tune(tuned[-1], tmp_path / f"{masters}", method="lora")[0].kernels == ()
    assert same(*tuned)


def over(weight: torch.nn.Parameter, **options: Any) -> torch.optim.Optimizer:
    return torch.optim.AdamW([weight], fused=True, weight_decay=0.0, **options)


def test_steps_too_small_for_bf16_are_not_lost() -> None:
    # Next to 1 a bf16 number is 1/256 away, four hundred times one of these steps.
    model = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.ones_(model.weight)
    optimizer = over(model.weight, lr=1e-5)
    masters = Masters(model, optimizer)
    for _ in range(300):
        model(torch.ones(1, 1, dtype=torch.bfloat16)).sum().backward()
        optimizer.step()
        model.zero_grad()
    rounded = model.weight.item()
    with masters.in_place():
        assert model.weight.item() == pytest.approx(1 - 300 * 1e-5, abs=1e-5)
        assert model.weight.dtype == torch.float32
    assert rounded == model.weight.item() == pytest.approx(0.99609375), "the master, rounded"
    assert model.weight.dtype == torch.bfloat16


def test_gradients_of_many_passes_add_up_in_fp32() -> None:
    model = torch.nn.Linear(1, 1, bias=False)
    Masters(model, over(model.weight))
    for _ in range(1000):  # in bf16 the sum would stand still at 256
        model(torch.ones(1, 1, dtype=torch.bfloat16)).sum().backward()
    assert model.weight.grad is not None and model.weight.grad.item() == 1000


def test_gradients_of_a_token_that_comes_by_often_add_up_in_fp32() -> None:
    table = torch.nn.Embedding(3, 1)
    masters = Masters(table, over(table.weight))
    found = table(torch.ones(1000, dtype=torch.long))
    assert found.dtype == torch.bfloat16
    found.sum().backward()
    assert table.weight.grad is not None
    assert table.weight.grad.flatten().tolist() == [0, 1000, 0]
    with torch.no_grad():
        assert table(torch.ones(1, dtype=torch.long)).dtype == torch.bfloat16
    masters.restore()
    assert table(torch.ones(1, dtype=torch.long)).dtype == torch.float32


def test_a_tied_weight_has_one_master() -> None:
    model = torch.nn.ModuleList([torch.nn.Embedding(5, 4), torch.nn.Linear(4, 5, bias=False)])
    model[1].weight = model[0].weight
    optimizer = over(model[0].weight)
    Masters(model, optimizer)
    assert model[0].weight is model[1].weight and model[0].weight.dtype == torch.bfloat16
    assert [len(group["params"]) for group in optimizer.param_groups] == [1]
    assert optimizer.param_groups[0]["params"][0].dtype == torch.float32


@pytest.mark.parametrize("masters", [False, True])
def test_the_optimizer_is_fused(
    load_tiny: Callable[[], Loaded], tmp_path: Path, forced: Callable[[bool], None], masters: bool
) -> None:
    forced(masters)
    used: list[bool] = []
    handle = register_optimizer_step_pre_hook(
        lambda optimizer, *_: used.extend(group["fused"] for group in optimizer.param_groups)
    )
    try:
        tune(load_tiny(), tmp_path / "run", steps=1)
    finally:
        handle.remove()
    assert used == [True, True]

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from mtlab.errors import InputError, NotAvailable, RunFailed
from mtlab.models import Loaded, load, load_run
from mtlab.presets import Base
from mtlab.prompts import Example
from mtlab.settings import Settings
from mtlab.spec import RunSpec, Training
from mtlab.training import Collator, ExampleOrder, Trained, fine_tune, last_checkpoint
from mtlab.training import tuning as module


def example(index: int) -> Example:
    ids = tuple(3 + (index * 7 + place * 11) % 250 for place in range(6 + index % 5))
    return Example((*ids, 2), (*[-100] * 4, *ids[4:], 2), f"test:{index}")


EXAMPLES = [example(index) for index in range(10)]


def settings_for(**changes: Any) -> Training:
    values: dict[str, Any] = {
        "method": "full", "learning_rate": 1e-3, "steps": 10, "batch_size": 2, "accumulation": 2,
        "precision": "fp32", "gradient_checkpointing": False, "max_length": 64,
        "checkpoint_steps": 5, "lora_rank": 4,
    }  # fmt: skip
    return Training(**{**values, **changes})


@pytest.fixture
def load_tiny(tiny_model: Path, home: Settings) -> Callable[[], Loaded]:
    base = Base("tiny", "tiny", path=tiny_model)
    return lambda: load(base, precision="fp32", device="cpu", settings=home)


class Log:
    def __init__(self) -> None:
        self.steps: list[dict[str, Any]] = []

    def __call__(self, kind: str, **data: Any) -> None:
        assert kind == "step"
        self.steps.append(data)


def tune(
    loaded: Loaded, training: Training, folder: Path, stop_after: int | None = None, **more: Any
) -> tuple[Trained, Log]:
    log = Log()
    folder.mkdir(exist_ok=True)
    stop = (lambda: False) if stop_after is None else (lambda: len(log.steps) + 1 >= stop_after)
    return fine_tune(loaded, EXAMPLES, training, 7, folder, log, stop, **more), log


def weights(loaded: Loaded) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in loaded.model.state_dict().items()}


def test_steps_are_counted_and_told(load_tiny: Callable[[], Loaded], tmp_path: Path) -> None:
    probes: list[int] = []
    trained, log = tune(load_tiny(), settings_for(), tmp_path / "run", probe=probes.append)
    assert trained.steps == 10 and not trained.stopped
    assert [step["step"] for step in log.steps] == list(range(1, 11))
    assert log.steps[-1]["loss"] < log.steps[0]["loss"]
    assert trained.loss == pytest.approx(log.steps[-1]["loss"], abs=1e-4)
    assert all(step["tokens_per_second"] > 0 and step["memory_mb"] > 0 for step in log.steps)
    assert max(step["learning_rate"] for step in log.steps) == pytest.approx(1e-3)
    assert probes == [2, 5, 8, 10]
    epochs = 10 * 4 / len(EXAMPLES)
    assert trained.target_tokens == epochs * sum(one.target_tokens for one in EXAMPLES)


@pytest.mark.parametrize("method", ["full", "lora"])
def test_stopped_and_resumed_is_bit_for_bit_the_same(
    load_tiny: Callable[[], Loaded], tmp_path: Path, method: str
) -> None:
    training = settings_for(method=method, lora_dropout=0.1, checkpoint_steps=100)
    at_once = load_tiny()
    tune(at_once, training, tmp_path / "once")

    first = load_tiny()
    stopped, log = tune(first, training, tmp_path / "twice", stop_after=5)
    assert stopped.stopped and stopped.steps == 5 and stopped.path.is_dir()
    resumed = load_tiny()
    # What else the process drew meanwhile must not matter.
    torch.manual_seed(12345)
    torch.rand(99)
    trained, rest = tune(resumed, training, tmp_path / "twice")
    assert trained.steps == 10 and not trained.stopped
    assert [step["step"] for step in rest.steps] == [6, 7, 8, 9, 10]

    expected, found = weights(at_once), weights(resumed)
    assert expected.keys() == found.keys()
    for name, value in expected.items():
        assert torch.equal(value, found[name]), name


def test_a_probe_changes_nothing(load_tiny: Callable[[], Loaded], tmp_path: Path) -> None:
    training = settings_for(method="lora", lora_dropout=0.2)
    plain, probed = load_tiny(), load_tiny()
    tune(plain, training, tmp_path / "plain")
    modes: list[bool] = []

    def probe(step: int) -> None:
        modes.append(probed.model.training)
        torch.rand(17)

    tune(probed, training, tmp_path / "probed", probe=probe)
    assert modes == [False] * 4
    for name, value in weights(plain).items():
        assert torch.equal(value, weights(probed)[name]), name


def test_the_whole_model_loads_with_transformers_alone(
    load_tiny: Callable[[], Loaded], tmp_path: Path, home: Settings
) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    loaded = load_tiny()
    trained, _ = tune(loaded, settings_for(), tmp_path / "run")
    assert trained.path.name == "model"
    assert not list(trained.path.glob("*.bin"))
    model = AutoModelForCausalLM.from_pretrained(trained.path, use_safetensors=True)
    tokenizer = AutoTokenizer.from_pretrained(trained.path)
    ids = tokenizer("Das Haus", return_tensors="pt").input_ids
    with torch.no_grad():
        assert torch.equal(model(ids).logits, loaded.model(ids).logits)
    spec = RunSpec(base=str(loaded.base.path), train=["de-en"])
    again = load_run(tmp_path / "run", spec, home, precision="fp32", device="cpu")
    with torch.no_grad():
        assert torch.equal(again.model(ids).logits, model(ids).logits)


def test_the_adapter_loads_with_peft_alone(
    load_tiny: Callable[[], Loaded], tmp_path: Path, tiny_model: Path, home: Settings
) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    loaded = load_tiny()
    trained, _ = tune(loaded, settings_for(method="lora"), tmp_path / "run")
    assert trained.path.name == "adapter"
    assert not list(trained.path.glob("*.bin"))
    base = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)
    ids = torch.tensor([[1, 5, 9, 30]])
    with torch.no_grad():
        untuned = base(ids).logits
        model = PeftModel.from_pretrained(base, trained.path).eval()
        tuned = loaded.model(ids).logits
        assert torch.allclose(model(ids).logits, tuned, atol=1e-6)
        assert not torch.allclose(untuned, tuned, atol=1e-3)
        spec = RunSpec(base=str(tiny_model), train=["de-en"])
        merged = load_run(tmp_path / "run", spec, home, precision="fp32", device="cpu")
        assert torch.allclose(merged.model(ids).logits, tuned, atol=1e-4)
    assert not any("lora" in name for name, _ in merged.model.named_modules())


def test_lora_leaves_the_base_alone(load_tiny: Callable[[], Loaded], tmp_path: Path) -> None:
    loaded = load_tiny()
    before = weights(loaded)
    tune(loaded, settings_for(method="lora"), tmp_path / "run")
    after = {name.replace(".base_layer", ""): value for name, value in weights(loaded).items()}
    assert any("lora" in name for name in after)
    for name, value in before.items():
        assert torch.equal(value, after[name])


def test_a_named_module_that_is_not_there(load_tiny: Callable[[], Loaded], tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match="training.lora_targets: the model has no module named x_proj"
    ):
        tune(load_tiny(), settings_for(method="lora", lora_targets=("x_proj",)), tmp_path / "r")


def test_full_training_in_bf16_is_sound(load_tiny: Callable[[], Loaded], tmp_path: Path) -> None:
    from safetensors import safe_open

    losses = {}
    for precision in ("fp32", "bf16"):
        loaded = load_tiny()
        trained, log = tune(loaded, settings_for(precision=precision), tmp_path / precision)
        losses[precision] = [step["loss"] for step in log.steps]
        assert loaded.model.dtype == torch.float32, "its master weights"
    with safe_open(trained.path / "model.safetensors", "pt") as file:
        assert {file.get_tensor(name).dtype for name in file.keys()} == {torch.float32}
    assert losses["bf16"] == pytest.approx(losses["fp32"], abs=0.03)
    assert losses["bf16"] != losses["fp32"], "it was bf16 indeed"
    assert losses["fp32"][0] - losses["fp32"][-1] > 0.1, "a loss that fell"


def test_checkpointing_activations_gives_the_same_loss(
    load_tiny: Callable[[], Loaded], tmp_path: Path
) -> None:
    for method in ("full", "lora"):
        losses = []
        for recompute in (False, True):
            training = settings_for(method=method, steps=3, gradient_checkpointing=recompute)
            _, log = tune(load_tiny(), training, tmp_path / f"{method}{recompute}")
            losses.append([step["loss"] for step in log.steps])
        assert losses[0] == pytest.approx(losses[1], abs=1e-4)


def test_a_loss_that_is_no_number_ends_the_run(
    load_tiny: Callable[[], Loaded], tmp_path: Path
) -> None:
    loaded = load_tiny()
    with torch.no_grad():
        loaded.model.model.norm.weight[0] = float("nan")
    with pytest.raises(RunFailed, match="the loss is no longer a number at step 1 of 10"):
        tune(loaded, settings_for(checkpoint_steps=1), tmp_path / "run")
    assert last_checkpoint(tmp_path / "run") is None, "nothing broken is kept to resume from"
    assert not (tmp_path / "run" / "model").exists()


def test_a_full_disk_is_said(
    load_tiny: Callable[[], Loaded], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: Any, **kwargs: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(module, "_save", full)
    with pytest.raises(RunFailed, match="the disk is full: free some space, then resume"):
        tune(load_tiny(), settings_for(steps=1), tmp_path / "run")


def test_memory_that_runs_out_is_said(
    load_tiny: Callable[[], Loaded], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exhausted(*args: Any, **kwargs: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(module._Trainer, "training_step", exhausted)
    with pytest.raises(NotAvailable, match="training ran out of memory: lower the batch size"):
        tune(load_tiny(), settings_for(), tmp_path / "run")


def test_no_examples(load_tiny: Callable[[], Loaded], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no training pair is left"):
        fine_tune(load_tiny(), [], settings_for(), 0, tmp_path, Log())


def test_torn_checkpoints_are_passed_over(load_tiny: Callable[[], Loaded], tmp_path: Path) -> None:
    folder = tmp_path / "run"
    tune(load_tiny(), settings_for(checkpoint_steps=5), folder)
    whole = last_checkpoint(folder)
    assert whole is not None and whole.name == "checkpoint-10"

    def cut(file: Path) -> None:
        file.write_bytes(file.read_bytes()[:-1])

    for name, damage in {
        "checkpoint-11": lambda path: (path / "trainer_state.json").write_text('{"global_'),
        "checkpoint-12": lambda path: (path / "optimizer.pt").unlink(),
        "checkpoint-13": lambda path: (path / "model.safetensors").unlink(),
        "checkpoint-14": lambda path: None,  # a folder whose state is of another step
        "checkpoint-15": lambda path: cut(path / "model.safetensors"),
        "checkpoint-16": lambda path: cut(path / "optimizer.pt"),
        "checkpoint-17": lambda path: cut(path / "rng_state.pth"),
    }.items():
        import shutil

        shutil.copytree(whole, folder / name)
        if name != "checkpoint-14":
            state = json.loads((folder / name / "trainer_state.json").read_text())
            state["global_step"] = int(name[-2:])
            (folder / name / "trainer_state.json").write_text(json.dumps(state))
        damage(folder / name)
    assert last_checkpoint(folder) == whole
    assert [path.name for path in folder.glob("checkpoint-*")] == ["checkpoint-10"]


def test_a_checkpoint_goes_when_a_newer_one_is_there_whatever_the_clock_says(
    load_tiny: Callable[[], Loaded], tmp_path: Path
) -> None:
    folder, seen = tmp_path / "run", []

    def look(step: int) -> None:  # after steps 2, 5, 8 and 10; saved after 4 and 8, and at the end
        there = sorted(folder.glob("checkpoint-*"))
        seen.append([path.name for path in there])
        for path in there:
            os.utime(path, (2e9, 2e9))  # as if the clock had since been set back

    tune(load_tiny(), settings_for(checkpoint_steps=4), folder, probe=look)
    assert seen == [[], ["checkpoint-4"], ["checkpoint-4"], ["checkpoint-8"]]
    assert [path.name for path in folder.glob("checkpoint-*")] == ["checkpoint-10"]


def test_a_finished_training_is_not_repeated(
    load_tiny: Callable[[], Loaded], tmp_path: Path
) -> None:
    first, second = load_tiny(), load_tiny()
    before, _ = tune(first, settings_for(), tmp_path / "run")
    after, log = tune(second, settings_for(), tmp_path / "run")
    assert log.steps == [] and after.steps == 10
    assert after.loss == pytest.approx(before.loss, abs=1e-6)
    for name, value in weights(first).items():
        assert torch.equal(value, weights(second)[name]), name


def test_nothing_is_printed(
    load_tiny: Callable[[], Loaded], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    tune(load_tiny(), settings_for(steps=2), tmp_path / "run")
    assert capfd.readouterr() == ("", "")


def test_the_order_is_seeded_and_goes_through_all_examples() -> None:
    lengths = [5, 9, 3, 7, 8, 4, 6]
    order = ExampleOrder(lengths, batch_size=3, steps=7, seed=1)
    assert len(order) == 21 == len(list(order))
    assert list(order) == list(ExampleOrder(lengths, batch_size=3, steps=7, seed=1))
    assert list(order) != list(ExampleOrder(lengths, batch_size=3, steps=7, seed=2))
    for epoch in range(3):
        assert sorted(order.indices[epoch * 7 : epoch * 7 + 7]) == list(range(7))
    assert order.step(2) == order.indices[3:6] == order.first(2)[3:]


def test_what_makes_a_step_does_not_depend_on_lengths() -> None:
    lengths = [10 + (index * 37) % 90 for index in range(320)]
    order = ExampleOrder(lengths, batch_size=16, steps=20, seed=0)
    plain = ExampleOrder([1] * 320, batch_size=16, steps=20, seed=0)
    for step in range(1, 21):
        assert sorted(order.step(step)) == sorted(plain.step(step))
        widths = [lengths[index] for index in order.step(step)]
        assert widths == sorted(widths, reverse=True), "like lengths stand together within it"


def test_batches_are_padded_on_the_left() -> None:
    batch = Collator(pad_id=0)([EXAMPLES[0], EXAMPLES[4]])
    assert batch["input_ids"].shape == (2, 11)
    assert batch["input_ids"][0, :4].tolist() == [0] * 4
    assert batch["attention_mask"].sum(dim=1).tolist() == [7, 11]
    assert batch["labels"][0, :4].tolist() == [-100] * 4
    assert set(batch) == {"input_ids", "attention_mask", "labels"}


@pytest.mark.parametrize("chosen", [[0, 4], [3], list(range(10))])
def test_logits_of_targets_alone_give_the_loss_of_each_example_by_itself(
    load_tiny: Callable[[], Loaded], chosen: list[int]
) -> None:
    model = load_tiny().model
    rows = [EXAMPLES[index] for index in chosen]
    batch = Collator(0, takes={"position_ids", "logits_to_keep"})(rows)
    assert batch["labels"].shape[1] == batch["logits_to_keep"] < batch["input_ids"].shape[1]
    losses, counted = [], []
    for row in rows:
        ids, labels = torch.tensor([row.input_ids]), torch.tensor([row.labels])
        losses.append(model(input_ids=ids, labels=labels).loss * row.target_tokens)
        counted.append(row.target_tokens)
    alone = sum(losses) / sum(counted)
    torch.testing.assert_close(model(**batch).loss, alone, rtol=1e-5, atol=1e-6)


def test_an_incomplete_training_is_a_programming_error(
    load_tiny: Callable[[], Loaded], tmp_path: Path
) -> None:
    training = settings_for()
    with pytest.raises(ValueError, match="not complete"):
        tune(load_tiny(), training.model_copy(update={"steps": None}), tmp_path / "run")
    assert replace(EXAMPLES[0], key="x").key == "x"

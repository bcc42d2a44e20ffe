"""Flash attention: when it is chosen, and that a probe never meets it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from mtlab.models import Loaded, load
from mtlab.presets import Base
from mtlab.prompts import Example
from mtlab.settings import Settings
from mtlab.spec import Training
from mtlab.training import fine_tune, tuning
from mtlab.training.attention import FLASH, attending, attention_for

LORA, FULL = Training(method="lora"), Training(method="full")


@pytest.fixture
def loaded(tiny_model: Path, home: Settings) -> Loaded:
    base = Base("tiny", "tiny", path=tiny_model)
    return load(base, precision="bf16", device="cpu", settings=home)


@pytest.fixture
def flash(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """Says whether flash attention is installed; without a GPU the model has to be told, too."""

    def say(there: bool) -> None:
        monkeypatch.setattr("transformers.utils.is_flash_attn_2_available", lambda: there)

    return say


def test_it_is_chosen_on_cuda_for_steps_in_16_bits_alone(
    loaded: Loaded, flash: Callable[[bool], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(
        type(loaded.model), "set_attn_implementation", lambda _, how: asked.append(how)
    )
    there = replace(loaded, device="cuda")
    flash(True)
    assert attention_for(there, LORA) == FLASH
    assert asked == [FLASH, "sdpa"], "tried, and put back"
    assert attention_for(replace(there, dtype_name="fp32"), LORA) is None
    monkeypatch.setattr("mtlab.models.device.fast_bf16", lambda *_: True)
    assert attention_for(there, FULL) == FLASH, "its weights are bf16, over masters"
    assert attention_for(there, FULL.model_copy(update={"precision": "fp32"})) is None
    assert attention_for(loaded, LORA) is None, "a CPU has none"
    flash(False)
    assert attention_for(there, LORA) is None


def test_a_model_that_cannot_keeps_its_own(loaded: Loaded, flash: Callable[[bool], None]) -> None:
    flash(True)
    # Nothing of it is really installed here, which transformers finds out.
    assert attention_for(replace(loaded, device="cuda"), LORA) is None
    assert loaded.model.config._attn_implementation == "sdpa"


def test_only_steps_attend_so(
    loaded: Loaded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tuning, "attention_for", lambda *_: "eager")
    monkeypatch.setattr(tuning, "can_flatten", lambda model, _: seen(model) == "eager")
    monkeypatch.setattr(tuning, "Flattener", lambda: tuning.Collator(0, {}))
    steps: list[str] = []
    probes: list[str] = []

    def seen(model: torch.nn.Module) -> str:
        return str(model.config._attn_implementation)

    loaded.model.model.register_forward_pre_hook(lambda *_: steps.append(seen(loaded.model)))
    training = Training(
        method="lora", learning_rate=1e-3, steps=2, batch_size=1, accumulation=1, lora_rank=2,
        precision="bf16", gradient_checkpointing=True, max_length=64, checkpoint_steps=5,
    )  # fmt: skip
    examples = [Example((3, 4, 5, 2), (-100, -100, 5, 2), "test:0")]
    fine_tune(
        loaded, examples, training, 7, tmp_path, lambda *_, **__: None,
        probe=lambda _: probes.append(seen(loaded.model)),
    )  # fmt: skip
    assert set(steps) == {"eager"} and set(probes) == {"sdpa"}
    assert seen(loaded.model) == "sdpa"


def test_it_is_put_back_after_an_error(loaded: Loaded) -> None:
    with pytest.raises(KeyError), attending(loaded.model, "eager"):
        assert loaded.model.config._attn_implementation == "eager"
        raise KeyError
    assert loaded.model.config._attn_implementation == "sdpa"

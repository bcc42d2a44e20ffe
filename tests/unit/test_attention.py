"""Flash attention: when it is chosen, and that a probe never meets it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from mtlab.models import Loaded, load
from mtlab.models.attending import attending
from mtlab.presets import Base
from mtlab.prompts import Example
from mtlab.settings import Settings
from mtlab.spec import Training
from mtlab.training import fine_tune, tuning
from mtlab.training.attention import APART, FLASH, VARLEN, attention_for
from mtlab.training.batching import Flattener

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
    assert attention_for(there, LORA) == VARLEN, "torch's own"
    assert attention_for(replace(there, dtype_name="fp32"), LORA) is None
    assert attention_for(loaded, LORA) is None


@pytest.mark.parametrize(
    ("changes", "longest"),
    [
        ({"model_type": "gemma2"}, 64),
        ({"sliding_window": 32}, 64),
        ({"sliding_window": 32}, None),
        ({"head_dim": 12}, 64),
        ({"head_dim": 264}, 64),
    ],
)
def test_torchs_own_is_not_for_every_model(
    loaded: Loaded, flash: Callable[[bool], None], changes: dict[str, Any], longest: int | None
) -> None:
    flash(False)
    there = replace(loaded, device="cuda")
    training = LORA.model_copy(update={"max_length": longest})
    assert attention_for(there, training) == VARLEN
    for name, value in changes.items():
        setattr(loaded.model.config, name, value)
    assert attention_for(there, training) is None


def test_a_wide_window_hides_nothing(loaded: Loaded, flash: Callable[[bool], None]) -> None:
    flash(False)
    loaded.model.config.sliding_window = 64
    training = LORA.model_copy(update={"max_length": 64})
    assert attention_for(replace(loaded, device="cuda"), training) == VARLEN


def test_torchs_own_computes_what_the_model_does(
    loaded: Loaded, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its kernels need a GPU; what they are told, and how the layers call it, is held here."""
    from torch.nn.attention import varlen
    from torch.nn.functional import scaled_dot_product_attention

    def kernel(
        q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, cu_q: torch.Tensor, cu_k: torch.Tensor,
        max_q: int, max_k: int, *, scale: float, window_size: tuple[int, int],
        enable_gqa: bool = False,
    ) -> torch.Tensor:  # fmt: skip
        assert window_size == (-1, 0) and torch.equal(cu_q, cu_k)
        bounds = cu_q.tolist()
        lengths = [end - start for start, end in zip(bounds, bounds[1:], strict=False)]
        assert max_q == max_k == max(lengths) and bounds[-1] == len(q)
        seen = [
            scaled_dot_product_attention(
                *(one[start:end].transpose(0, 1)[None] for one in (q, k, v)),
                is_causal=True, scale=scale, enable_gqa=enable_gqa,
            )[0].transpose(0, 1)
            for start, end in zip(bounds, bounds[1:], strict=False)
        ]  # fmt: skip
        return torch.cat(seen)

    monkeypatch.setattr(varlen, "varlen_attn", kernel)
    model = loaded.model.float()
    texts = [(5, 6, 7, 8, 9), (12, 13, 14), (10, 11)]  # as in the row: the long ones first
    rows = [Example(ids, ids, str(place)) for place, ids in enumerate(texts)]
    (part,) = Flattener(100)(rows)["parts"]
    del part["labels"], part["logits_to_keep"]
    with torch.no_grad():
        with attending(model, VARLEN):
            together = model(**part).logits[0]
        alone = [model(input_ids=torch.tensor([ids])).logits[0] for ids in texts]
    torch.testing.assert_close(together, torch.cat(alone), rtol=1e-4, atol=1e-5)


def test_a_model_that_cannot_keeps_its_own(loaded: Loaded, flash: Callable[[bool], None]) -> None:
    flash(True)
    # Nothing of it is really installed here, which transformers finds out.
    assert attention_for(replace(loaded, device="cuda"), LORA) == VARLEN
    loaded.model.config.model_type = "gemma2"
    assert attention_for(replace(loaded, device="cuda"), LORA) is None
    assert loaded.model.config._attn_implementation == "sdpa"


def test_only_steps_attend_so(
    loaded: Loaded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tuning, "attention_for", lambda *_: "eager")
    monkeypatch.setitem(APART, "eager", "eager")
    monkeypatch.setattr(tuning, "can_flatten", lambda model, _: seen(model) == "eager")
    monkeypatch.setattr(tuning, "Flattener", lambda _: tuning.Collator(0, {}))
    monkeypatch.setattr(tuning, "_pass_tokens", lambda *_: 64)
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

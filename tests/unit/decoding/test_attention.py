"""Attention of beams, shared keys read once: what transformers' gives, for a while alone."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from mtlab.decoding import attention
from mtlab.decoding.attention import BEAMS, beams_attention_for, know_beams
from mtlab.decoding.search import beam_search
from mtlab.decoding.stepper import Stepper
from mtlab.models.attending import attending

Shapes = list[tuple[torch.Size, torch.Size]]

PROMPTS = [[5, 6, 7, 8, 9], [5, 6, 11], [5, 6, 12, 13]]


def llama(kept: int) -> Any:
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=300, hidden_size=64, intermediate_size=128, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=kept, initializer_range=0.3,
    )  # fmt: skip
    return LlamaForCausalLM(config).eval()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Shapes:
    """The shapes of the queries and of the keys that they were shown, of few queries alone."""
    made: Shapes = []
    own = attention.scaled_dot_product_attention

    def noting(query: torch.Tensor, key: torch.Tensor, *more: Any, **named: Any) -> torch.Tensor:
        made.append((query.shape, key.shape))
        return own(query, key, *more, **named)

    monkeypatch.setattr(attention, "scaled_dot_product_attention", noting)
    know_beams()
    return made


@pytest.mark.parametrize("kept", [4, 2, 1])
def test_a_search_finds_the_same(kept: int, asked: Shapes) -> None:
    model = llama(kept)

    def search() -> list[Any]:
        with torch.inference_mode():
            stepper = Stepper(model, PROMPTS, 4, 0, "cpu")
            return beam_search(stepper, 4, [12, 9, 20], [2, 17, 33], lambda: None)

    expected = search()
    assert not asked
    with attending(model, BEAMS):
        assert search() == expected
    assert (3, kept, 4 // kept * 4, 16) in {queries for queries, _ in asked}
    assert {keys[1] for _, keys in asked} == {kept}, "keys that heads share are not copied"


@pytest.mark.parametrize("boolean", [False, True])
def test_masks_of_either_kind_hide(boolean: bool, asked: Shapes) -> None:
    from transformers.integrations.sdpa_attention import sdpa_attention_forward

    torch.manual_seed(1)
    query, key, value = (torch.randn(2, 4, length, 8) for length in (3, 7, 7))
    seen = torch.rand(2, 1, 3, 7) > 0.4
    seen[..., 0] = True
    hidden = torch.zeros(seen.shape).masked_fill(~seen, torch.finfo(torch.float32).min)
    layer = SimpleNamespace(is_causal=True)
    mask = seen if boolean else hidden
    made, _ = attention._attend(layer, query, key, value, mask)  # type: ignore[arg-type]
    expected, _ = sdpa_attention_forward(layer, query, key, value, hidden)
    assert len(asked) == 1
    torch.testing.assert_close(made, expected, rtol=1e-5, atol=1e-5)


def test_many_queries_and_none_to_hide_are_torchs(asked: Shapes) -> None:
    model = llama(2)
    ids = torch.arange(40)[None] + 3
    with torch.inference_mode():
        expected = model(input_ids=ids).logits
        with attending(model, BEAMS):
            torch.testing.assert_close(model(input_ids=ids).logits, expected)
            model(input_ids=ids[:, :3])
    assert not asked


def test_it_is_for_gpus_and_for_models_that_attend_in_torchs_way() -> None:
    def on(gpu: bool, how: str) -> Any:
        weight = SimpleNamespace(is_cuda=gpu)
        config = SimpleNamespace(_attn_implementation=how)
        return SimpleNamespace(parameters=lambda: iter([weight]), config=config)

    assert beams_attention_for(on(True, "sdpa")) == BEAMS
    assert beams_attention_for(on(False, "sdpa")) is None
    assert beams_attention_for(on(True, "eager")) is None, "it computes something of its own"

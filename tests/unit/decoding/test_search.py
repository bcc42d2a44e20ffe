"""The search against transformers' own `generate`: the same tokens in fp32."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM

from mtlab.decoding import stepper as stepping
from mtlab.decoding.search import beam_search, draw_token, greedy_search, sample_search, top
from mtlab.decoding.stepper import (
    Stepper,
    can_step,
    reading_parts,
    shared_prefix,
    width_of,
)

PROMPTS = [[1, 40, 41, 42, 60 + i, *range(70, 70 + 3 * i), 9] for i in range(6)]
ENDS = (2, 17, 33, 90, 120)
# Three directions' prompts in one batch: instructions of unlike length, one of them asked once.
MIXED = [
    *([1, 40, 41, 42, 43, 44, 60 + i, *range(70, 70 + 3 * i)] for i in range(4)),
    *([1, 50, 51, 80 + 7 * i, 9] for i in range(3)),
    [1, 45, *range(200, 230)],
]
HEADS = [6, 6, 6, 6, 3, 3, 3, 31]


@pytest.fixture(scope="module")
def model(tiny_model: Path) -> Any:
    return AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32).eval()


def generate(
    model: Any, limit: int, beams: int, prompts: list[list[int]] = PROMPTS
) -> list[list[int]]:
    width = max(map(len, prompts))
    output = model.generate(
        input_ids=torch.tensor([[0] * (width - len(p)) + p for p in prompts]),
        attention_mask=torch.tensor([[0] * (width - len(p)) + [1] * len(p) for p in prompts]),
        num_beams=beams,
        max_new_tokens=limit,
        do_sample=False,
        pad_token_id=0,
        eos_token_id=list(ENDS),
    )
    answers = []
    for row in output[:, width:].tolist():
        stop = next((i for i, token in enumerate(row) if token in ENDS), len(row))
        answers.append(row[:stop])
    return answers


def nothing() -> None:
    pass


@pytest.mark.parametrize("limit", [1, 7, 60])
@pytest.mark.parametrize("beams", [2, 4, 5])
def test_beams_are_those_of_generate(model: Any, beams: int, limit: int) -> None:
    with torch.inference_mode():
        stepper = Stepper(model, PROMPTS, beams, 0, "cpu")
        found = beam_search(stepper, beams, [limit] * len(PROMPTS), ENDS, nothing)
    assert [list(f.tokens) for f in found] == generate(model, limit, beams)


def test_greedy_is_that_of_generate(model: Any) -> None:
    with torch.inference_mode():
        stepper = Stepper(model, PROMPTS, 1, 0, "cpu")
        found = greedy_search(stepper, [40] * len(PROMPTS), ENDS, nothing)
    assert [list(f.tokens) for f in found] == generate(model, 40, 1)
    assert {f.ended for f in found} == {len(f.tokens) < 40 for f in found}


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize(("beams", "limit"), [(1, 40), (2, 7), (4, 60), (5, 150)])
def test_heads_of_unlike_length_in_one_batch_change_no_token(
    model: Any, beams: int, limit: int, order: int
) -> None:
    prompts, heads = MIXED[::order], HEADS[::order]
    limits = [limit] * len(prompts)
    with torch.inference_mode():
        stepper = Stepper(model, prompts, beams, 0, "cpu", heads)
        if beams == 1:
            found = greedy_search(stepper, limits, ENDS, nothing)
        else:
            found = beam_search(stepper, beams, limits, ENDS, nothing)
    expected = [generate(model, limit, beams, [prompt])[0] for prompt in prompts]
    assert [list(f.tokens) for f in found] == expected


@pytest.mark.parametrize("heads", [HEADS, [0] * len(HEADS)])
def test_prompts_read_in_parts_change_no_token(
    model: Any, heads: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Stepper._read
    read: list[tuple[int, ...]] = []

    def watched(self: Stepper, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        read.append(tuple(ids.shape))
        return whole(self, ids, mask)

    monkeypatch.setattr(Stepper, "_read", watched)
    monkeypatch.setattr(stepping, "_PASS", 16)
    limits = [60] * len(MIXED)
    with torch.inference_mode():
        stepper = Stepper(model, MIXED, 4, 0, "cpu", heads)
        found = beam_search(stepper, 4, limits, ENDS, nothing)
    own = [rows for rows, _ in read[1 if any(heads) else 0 :]]
    assert len(own) > 1 and sum(own) == len(MIXED)
    assert [list(f.tokens) for f in found] == [generate(model, 60, 4, [p])[0] for p in MIXED]


def test_prompts_are_read_in_parts_where_that_spares_padding() -> None:
    like, unlike = [100] * 90, [*[200] * 30, *[50] * 100, *[20] * 10]
    assert reading_parts(like) == [slice(0, 90)], "of one length there is nothing to spare"
    assert reading_parts(unlike) == [slice(0, 21), slice(21, 42), slice(42, 124), slice(124, 140)]
    assert reading_parts(unlike[:20]) == [slice(0, 20)]
    assert reading_parts([7]) == [slice(0, 1)]


def test_a_head_is_read_once_for_all_that_begin_with_it(
    model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[tuple[int, ...]] = []
    forward = Stepper._forward

    def watched(self: Stepper, ids: torch.Tensor, *rest: Any, **options: Any) -> torch.Tensor:
        read.append(tuple(ids.shape))
        return forward(self, ids, *rest, **options)

    monkeypatch.setattr(Stepper, "_forward", watched)
    with torch.inference_mode():
        stepper = Stepper(model, MIXED, 2, 0, "cpu", HEADS)
    longest = max(len(p) - head for p, head in zip(MIXED, HEADS, strict=True))
    assert read == [(3, 31), (8, longest)]
    assert stepper.prompt_mask.shape[1] == width_of(MIXED, HEADS) == 31 + longest


def test_long_beams_survive_the_cache_being_pruned(model: Any) -> None:
    with torch.inference_mode():
        stepper = Stepper(model, PROMPTS, 4, 0, "cpu")
        found = beam_search(stepper, 4, [150] * len(PROMPTS), (399,), nothing)
        held = stepper.past.shape[2]
    width = max(map(len, PROMPTS))
    output = model.generate(
        input_ids=torch.tensor([[0] * (width - len(p)) + p for p in PROMPTS]),
        attention_mask=torch.tensor([[0] * (width - len(p)) + [1] * len(p) for p in PROMPTS]),
        num_beams=4, max_new_tokens=150, do_sample=False, pad_token_id=0, eos_token_id=399,
    )  # fmt: skip
    assert [list(f.tokens) for f in found] == output[:, width:].tolist()
    assert not any(f.ended for f in found)
    assert held < 4 * 149, "tokens that no beam descends from were dropped"


def test_each_row_has_its_own_limit(model: Any) -> None:
    limits = [3, 9, 1, 20, 5, 2]
    with torch.inference_mode():
        stepper = Stepper(model, PROMPTS, 4, 0, "cpu")
        together = beam_search(stepper, 4, limits, (399,), nothing)
        alone = [
            beam_search(Stepper(model, [prompt], 4, 0, "cpu"), 4, [limit], (399,), nothing)[0]
            for prompt, limit in zip(PROMPTS, limits, strict=True)
        ]
    assert together == alone
    assert [len(found.tokens) for found in together] == limits


def test_samples_do_not_depend_on_the_batch(model: Any) -> None:
    seeds = list(range(len(PROMPTS)))
    options = {"temperature": 0.8, "top_p": 0.9}
    with torch.inference_mode():
        together = sample_search(
            Stepper(model, PROMPTS, 1, 0, "cpu"), [20] * 6, ENDS, nothing, seeds=seeds, **options
        )
        alone = [
            sample_search(
                Stepper(model, [prompt], 1, 0, "cpu"), [20], ENDS, nothing, seeds=[seed], **options
            )[0]
            for prompt, seed in zip(PROMPTS, seeds, strict=True)
        ]
    assert together == alone
    assert len({found.tokens for found in together}) > 1


def test_draws_follow_the_probabilities_and_stay_in_the_nucleus() -> None:
    logits = torch.log(torch.tensor([[0.5, 0.3, 0.15, 0.05]])).repeat(4000, 1)
    generators = [torch.Generator().manual_seed(seed) for seed in range(4000)]
    everything = torch.bincount(draw_token(logits, generators, 1.0, 1.0), minlength=4) / 4000
    assert torch.allclose(everything, torch.tensor([0.5, 0.3, 0.15, 0.05]), atol=0.03)
    nucleus = torch.bincount(draw_token(logits, generators, 1.0, 0.7), minlength=4) / 4000
    assert torch.allclose(nucleus, torch.tensor([0.625, 0.375, 0, 0]), atol=0.03)


@pytest.mark.parametrize("width", [50, 799, 8000, 8051])
def test_top_finds_what_sorting_finds(width: int) -> None:
    values = torch.randn(5, width, generator=torch.Generator().manual_seed(width))
    found, where = top(values, 8)
    expected = values.topk(8)
    assert torch.equal(found, expected.values)
    assert torch.equal(values.gather(1, where), expected.values)


def test_shared_prefix_leaves_every_prompt_a_token() -> None:
    assert shared_prefix([[1, 2, 3], [1, 2, 4]]) == 2
    assert shared_prefix([[1, 2, 3], [1, 2]]) == 1
    assert shared_prefix([[1, 2, 3]]) == 2
    assert shared_prefix([[1], [2]]) == 0


def test_prompts_that_share_nothing(model: Any) -> None:
    prompts = [[5, 6, 7], [8, 9], [11]]
    with torch.inference_mode():
        together = Stepper(model, prompts, 1, 0, "cpu").logits
        for row, prompt in enumerate(prompts):
            alone = model(torch.tensor([prompt])).logits[0, -1]
            assert torch.allclose(together[row, 0], alone, atol=1e-5)


def _family(name: str) -> Any:
    from transformers import AutoConfig, AutoModelForCausalLM

    sizes = {
        "vocab_size": 60, "hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 2,
        "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8, "pad_token_id": 0,
        "bos_token_id": 1, "eos_token_id": 2, "max_position_embeddings": 256,
        "initializer_range": 0.3,
    }  # fmt: skip
    if name == "opt":
        sizes |= {"ffn_dim": 32, "word_embed_proj_dim": 32, "init_std": 0.3}
    if name == "bloom":
        sizes = {"vocab_size": 60, "hidden_size": 32, "n_layer": 2, "n_head": 4, "pad_token_id": 0,
                 "initializer_range": 0.3, "bos_token_id": 1, "eos_token_id": 2}  # fmt: skip
    if name == "gpt2":
        sizes = {"vocab_size": 60, "n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 256,
                 "initializer_range": 0.3, "bos_token_id": 1, "eos_token_id": 2}  # fmt: skip
    if name == "gemma3_text":
        sizes |= {"sliding_window": 128}
    torch.manual_seed(3)
    config = AutoConfig.for_model(name, **sizes)
    return AutoModelForCausalLM.from_config(config).float().eval()


@pytest.mark.parametrize(
    ("name", "steps_itself"),
    [
        ("llama", True), ("qwen2", True), ("qwen3", True), ("mistral", True), ("gemma2", True),
        ("gemma3_text", True), ("opt", True), ("gpt2", True), ("smollm3", True), ("bloom", False),
    ],
)  # fmt: skip
def test_families_give_the_beams_of_generate(name: str, steps_itself: bool) -> None:
    model = _family(name)
    assert can_step(model, 60) is steps_itself
    if not steps_itself:
        return
    prompts = [[3, 4, 5, 6, 7], [3, 9, 10], [3, 4, 5, 30, 31, 32, 33, 34]]
    width = max(map(len, prompts))
    expected = model.generate(
        input_ids=torch.tensor([[0] * (width - len(p)) + p for p in prompts]),
        attention_mask=torch.tensor([[0] * (width - len(p)) + [1] * len(p) for p in prompts]),
        num_beams=4, max_new_tokens=24, do_sample=False, pad_token_id=0, eos_token_id=59,
    )[:, width:].tolist()  # fmt: skip
    with torch.inference_mode():
        stepper = Stepper(model, prompts, 4, 0, "cpu")
        found = beam_search(stepper, 4, [24] * 3, (59,), nothing)
    for row, answer in zip(expected, found, strict=True):
        stop = row.index(59) if 59 in row else len(row)
        assert list(answer.tokens) == row[:stop]


def test_a_model_that_goes_its_own_way_is_found_out() -> None:
    """One that takes our mask and does not heed it would translate wrongly, and silently."""
    model = _family("llama")
    plain = model.forward

    def heedless(
        input_ids: Any = None, attention_mask: Any = None, position_ids: Any = None, **more: Any
    ) -> Any:
        return plain(input_ids=input_ids, position_ids=position_ids, **more)

    model.forward = heedless
    assert not can_step(model, 60)


def test_a_deep_model_is_not_taken_for_one_that_does_for_its_rounding() -> None:
    """In bf16 some logits of two equal computations differ a lot, all of them little."""
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=32_000, hidden_size=128, intermediate_size=256, num_hidden_layers=32,
        num_attention_heads=4, initializer_range=0.1,
    )  # fmt: skip
    model = LlamaForCausalLM(config).bfloat16().eval()
    assert can_step(model, 60)
    del model._mtlab_can_step
    plain = model.forward

    def displaced(position_ids: Any = None, **more: Any) -> Any:
        late = None if position_ids is None else position_ids + (position_ids > 3)
        return plain(position_ids=late, **more)

    model.forward = displaced
    model.forward.__signature__ = inspect.signature(plain)
    assert not can_step(model, 60), "one token in a wrong place is another computation"


def test_a_window_narrower_than_the_text_is_left_to_generate() -> None:
    model = _family("mistral")
    model.config.sliding_window = 32
    assert can_step(model, 30)
    assert not can_step(model, 40)

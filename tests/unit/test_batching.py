"""A step's loss and gradients are the same however its examples go through the model."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM

from mtlab.batch_parts import parts_of, parts_within
from mtlab.prompts import Example
from mtlab.training import Collator
from mtlab.training.batching import Flattener, can_flatten, split

TAKES = {"position_ids", "logits_to_keep", "use_cache", "kwargs"}


def example(draw: random.Random, prompt: int, target: int) -> Example:
    ids = tuple(draw.randrange(3, 250) for _ in range(prompt + target))
    return Example(ids, (*[-100] * prompt, *ids[prompt:]), "test")


@pytest.fixture
def rows() -> list[Example]:
    draw = random.Random(1)
    sizes = [(4, 3), (60, 90), (9, 1), (50, 40), (5, 70), (3, 6), (1, 8)]
    return [example(draw, *size) for size in sizes]


@pytest.fixture
def model(tiny_model: Path) -> Any:
    return AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32).train()


def learnt(model: Any, batches: list[dict[str, Any]], count: int) -> tuple[float, torch.Tensor]:
    """The summed loss of batches, over all their targets, and all gradients in a row."""
    model.zero_grad()
    total = 0.0
    for batch in batches:
        loss = model(**batch, num_items_in_batch=torch.tensor(count)).loss
        loss.backward()
        total += float(loss.detach())
    return total, torch.cat([value.grad.flatten() for value in model.parameters()])


@pytest.mark.parametrize("takes", [TAKES, set()])
def test_a_batch_in_parts_teaches_what_it_teaches_in_one_piece(
    model: Any, rows: list[Example], takes: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mtlab.training.batching.parts_of", lambda lengths: parts_of(lengths, 20))
    batch = Collator(0, takes)(rows)
    parts = split(batch)
    assert len(parts) > 2 and sum(len(part["input_ids"]) for part in parts) == len(rows)
    assert sum(part["input_ids"].numel() for part in parts) < 0.7 * batch["input_ids"].numel()
    count = int((batch["labels"][:, 1:] != -100).sum())
    loss, gradients = learnt(model, [batch], count)
    again, other = learnt(model, parts, count)
    assert again == pytest.approx(loss, rel=1e-5)
    torch.testing.assert_close(other, gradients, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(("most", "passes"), [(1000, 1), (200, 2), (10, 7)])
def test_a_flattened_batch_teaches_what_a_padded_one_does(
    model: Any, rows: list[Example], most: int, passes: int
) -> None:
    padded, flat = Collator(0, TAKES)(rows), Flattener(most)(rows)
    parts = flat["parts"]
    assert len(parts) == passes
    tokens = sum(one["input_ids"].numel() for one in parts)
    assert tokens == sum(len(row.input_ids) for row in rows), "nothing is padding"
    assert sum(len(one["logits_to_keep"]) for one in parts) < 0.8 * tokens
    count = sum(row.target_tokens for row in rows)
    assert int((flat["labels"][:, 1:] != -100).sum()) == count, "what Trainer divides by"
    loss, gradients = learnt(model, [padded], count)
    again, other = learnt(model, parts, count)
    assert again == pytest.approx(loss, rel=1e-5)
    torch.testing.assert_close(other, gradients, rtol=1e-4, atol=1e-6)


def test_examples_in_one_row_never_see_each_other(model: Any, rows: list[Example]) -> None:
    (batch,) = Flattener(1000)(rows)["parts"]
    batch["logits_to_keep"] = 0
    del batch["labels"]
    with torch.no_grad():
        logits = model(**batch).logits[0]
        start = 0
        for row in sorted(rows, key=lambda row: -len(row.input_ids)):
            alone = model(input_ids=torch.tensor([row.input_ids])).logits[0]
            together = logits[start : start + len(row.input_ids)]
            torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)
            start += len(row.input_ids)


def test_parts_cost_least() -> None:
    draw = random.Random(2)

    def cost(lengths: list[int], parts: list[list[int]]) -> int:
        return sum(50 + len(part) * max(lengths[row] for row in part) for part in parts)

    for _ in range(20):
        lengths = [draw.randint(1, 60) for _ in range(6)]
        parts = parts_of(lengths, 50)
        assert sorted(row for part in parts for row in part) == list(range(6))
        order = sorted(range(6), key=lambda row: -lengths[row])
        every = (
            [order[a:b] for a, b in zip([0, *cuts], [*cuts, 6], strict=True)]
            for number in range(32)
            for cuts in [[place for place in range(1, 6) if number >> (place - 1) & 1]]
        )
        assert cost(lengths, parts) == min(cost(lengths, one) for one in every)
    assert parts_of([100] * 8) == [list(range(8))], "nothing is gained by dividing equals"


def test_parts_hold_so_many_tokens_at_most() -> None:
    draw = random.Random(3)
    for _ in range(20):
        lengths = [draw.randint(1, 60) for _ in range(12)]
        parts = parts_within(lengths, 50)
        assert sorted(row for part in parts for row in part) == list(range(12))
        for part in parts:
            assert len(part) == 1 or sum(lengths[row] for row in part) <= 50
        firsts = [sum(lengths[row] for row in part) for part in parts]
        assert all(
            firsts[early] + lengths[row] > 50
            for late, part in enumerate(parts)
            for row in part
            for early in range(late)
        ), "no row that an earlier part has room for"
    assert parts_within([512] * 16, 2048) == [list(range(i, i + 4)) for i in range(0, 16, 4)]


def test_what_is_flattened(model: Any) -> None:
    assert not can_flatten(model, TAKES), "a dense mask is slower than padding"
    model.config._attn_implementation_internal = "flash_attention_2"
    assert can_flatten(model, TAKES)
    assert not can_flatten(model, TAKES - {"kwargs"})

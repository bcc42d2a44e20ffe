"""Operations and bytes by formula, against what torch counts of a Llama."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers import LlamaConfig, LlamaForCausalLM

from mtlab.bench.limits import decoding_reading, linear_weights, training_operations
from mtlab.models.facts import Shape

LENGTHS, TARGETS, RANK = (24, 24, 24), 13, 4
SHAPE = Shape(
    parameters=0, body=0, layers=3, hidden=64, inner=112, kv_width=32, vocabulary=160
)  # fmt: skip


def llama() -> Any:
    """A model of `SHAPE`; attention in plain products, which torch counts whole."""
    config = LlamaConfig(
        vocab_size=SHAPE.vocabulary, hidden_size=SHAPE.hidden, intermediate_size=SHAPE.inner,
        num_hidden_layers=SHAPE.layers, num_attention_heads=4, num_key_value_heads=2,
        attn_implementation="eager", tie_word_embeddings=False,
    )  # fmt: skip
    return LlamaForCausalLM(config).train()


def counted(model: Any) -> tuple[int, int]:
    """What torch counts of a step: products with weights, and attention's."""
    ids = torch.randint(0, SHAPE.vocabulary, (len(LENGTHS), LENGTHS[0]))
    counter = FlopCounterMode(display=False)
    with counter:
        states = model.base_model.model.model if hasattr(model, "peft_config") else model.model
        inside = states(input_ids=ids, use_cache=False).last_hidden_state
        kept = inside.flatten(0, 1)[:TARGETS]  # logits for target tokens alone
        head = model.get_output_embeddings()
        head(kept).float().logsumexp(-1).sum().backward()
    found = counter.get_flop_counts()["Global"]
    attention = sum(value for name, value in found.items() if "bmm" in str(name))
    return sum(found.values()) - attention, attention


def test_full_fine_tuning_as_torch_counts_it() -> None:
    told = training_operations(SHAPE, LENGTHS, TARGETS)
    products, attention = counted(llama())
    assert told.products == products
    # Torch's count has the masked half, too, and the formula the diagonal.
    length = LENGTHS[0]
    assert told.attention == pytest.approx(attention * (length + 1) / (2 * length))


def test_lora_as_torch_counts_it() -> None:
    from peft import LoraConfig, get_peft_model

    adapted = LoraConfig(r=RANK, target_modules="all-linear", task_type="CAUSAL_LM")
    model = get_peft_model(llama(), adapted)
    model.enable_input_require_grads()  # else the first layer's products are not taken back
    told = training_operations(SHAPE, LENGTHS, TARGETS, rank=RANK)
    products, attention = counted(model)
    assert told.products == products
    length = LENGTHS[0]
    assert told.attention == pytest.approx(attention * (length + 1) / (2 * length))
    full = training_operations(SHAPE, LENGTHS, TARGETS)
    assert told.attention == full.attention and told.products < full.products


def test_the_formula_knows_the_linear_layers() -> None:
    layers = llama().model.layers
    weights = sum(one.weight.numel() for one in layers.modules() if hasattr(one, "in_features"))
    assert linear_weights(SHAPE) == weights


def test_what_decoding_reads_grows_with_rows_beyond_the_weights() -> None:
    one = decoding_reading(SHAPE, [10], beams=1, steps=3, width=2)
    weights = linear_weights(SHAPE) + SHAPE.vocabulary * SHAPE.hidden
    assert one.weights == 3 * 2 * weights
    position = 2 * SHAPE.layers * SHAPE.kv_width * 2
    assert one.cache == position * (10 + 11 + 12), "a step reads the prompt and what was written"
    many = decoding_reading(SHAPE, [10] * 8, beams=4, steps=3, width=2)
    assert many.weights == one.weights
    assert many.cache == position * 8 * (3 * 10 + 4 * (0 + 1 + 2)), "beams share their prompt"

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer

from mtlab.errors import InputError
from mtlab.prompts import (
    IGNORED,
    INSTRUCTIONS,
    Template,
    encode,
    prompt_ids,
    variant_for,
)
from mtlab.spec import Direction, RunSpec

DE_EN = Direction.parse("de-en")


@dataclass(frozen=True)
class OnePair:
    source: str
    target: str
    key: str = "test:0"
    direction: Direction = DE_EN


@pytest.fixture(scope="module")
def tokenizer(tiny_model: Path) -> Any:
    return AutoTokenizer.from_pretrained(tiny_model)


def spec(template: str | None = None) -> RunSpec:
    return RunSpec(train=["de-en"], template=template)


def test_there_are_enough_ways_to_ask_and_all_name_the_target() -> None:
    assert len(INSTRUCTIONS) >= 12
    assert len(set(INSTRUCTIONS)) == len(INSTRUCTIONS)
    assert all("{target_language}" in text for text in INSTRUCTIONS)
    assert "{source_language}" in INSTRUCTIONS[0]
    assert any("{source_language}" not in text for text in INSTRUCTIONS)


def test_the_prompt_that_decoding_uses() -> None:
    prompt = Template.from_spec(spec()).prompt("Hallo.", DE_EN)
    assert "Translate the following sentence from German to English." in prompt
    assert prompt.index("Translate") < prompt.index("Hallo.")
    assert "{" not in prompt and prompt.endswith("\n")


def test_the_variant_is_drawn_by_key_and_seed() -> None:
    drawn = [variant_for(f"everyday:{i}", 0) for i in range(2000)]
    assert drawn == [variant_for(f"everyday:{i}", 0) for i in range(2000)]
    assert drawn != [variant_for(f"everyday:{i}", 1) for i in range(2000)]
    counts = [drawn.count(variant) for variant in range(len(INSTRUCTIONS))]
    assert min(counts) > 90, "each is drawn about as often"


def test_training_prompts_are_decoding_prompts(tokenizer: Any) -> None:
    template = Template.from_spec(spec())
    pair = OnePair("Das Haus ist rot.", "The house is red.")
    examples, dropped = encode(tokenizer, template, [pair], seed=0, max_length=400)
    variant = variant_for(pair.key, 0)
    asked = prompt_ids(tokenizer, template, pair.source, DE_EN, variant)
    example = examples[0]
    assert list(example.input_ids[: len(asked)]) == asked
    assert asked[0] == tokenizer.bos_token_id
    assert dropped == []
    answer = example.input_ids[len(asked) :]
    assert answer[-1] == tokenizer.eos_token_id
    assert tokenizer.decode(answer[:-1]) == "The house is red."


def test_the_loss_counts_the_target_and_the_end_mark_alone(tokenizer: Any) -> None:
    (example,), _ = encode(tokenizer, Template(), [OnePair("Ja.", "Yes.")], seed=0, max_length=400)
    counted = [label for label in example.labels if label != IGNORED]
    assert tokenizer.decode(counted) == "Yes.</s>"
    assert example.labels[-len(counted) :] == tuple(counted)
    assert example.input_ids[-len(counted) :] == tuple(counted)
    assert example.target_tokens == len(counted)


def test_a_pair_that_is_too_long_is_dropped_whole_and_named(tokenizer: Any) -> None:
    pairs = [OnePair("Ja.", "Yes.", "a"), OnePair("Ja. " * 200, "Yes.", "b")]
    examples, dropped = encode(tokenizer, Template(), pairs, seed=0, max_length=200)
    assert [example.key for example in examples] == ["a"]
    assert dropped == ["b"]
    length = len(examples[0].input_ids)
    assert encode(tokenizer, Template(), pairs[:1], seed=0, max_length=length)[1] == []
    assert encode(tokenizer, Template(), pairs[:1], seed=0, max_length=length - 1)[1] == ["a"]


def test_an_own_template_is_filled_and_braces_in_the_text_are_left_alone() -> None:
    template = Template.from_spec(
        spec("[{source_language}>{target_language}] {source} {{}} { x } =>")
    )
    source = "{target_language} {source} {0} %s"
    assert template.prompt(source, DE_EN) == f"[German>English] {source} {{{{}}}} {{ x }} =>"


def test_a_template_may_repeat_the_source() -> None:
    template = Template.from_spec(spec("{source}\n{source}\n{target_language}:"))
    assert template.prompt("Ja.", DE_EN) == "Ja.\nJa.\nEnglish:"


def test_a_template_without_source_is_refused() -> None:
    with pytest.raises(InputError, match="no {source}"):
        spec("Translate!")


def test_marks_spelt_out_in_a_sentence_are_text(tokenizer: Any) -> None:
    pair = OnePair("Das </s> Ende <pad>", "The </s> end")
    (example,), _ = encode(tokenizer, Template(), [pair], seed=0, max_length=400)
    assert example.input_ids.count(tokenizer.eos_token_id) == 1
    assert tokenizer.pad_token_id not in example.input_ids
    ids = prompt_ids(tokenizer, Template(), pair.source, DE_EN)
    assert tokenizer.decode(ids[1:]) == Template().prompt(pair.source, DE_EN)


def test_chat_uses_the_tokenizers_template_with_its_own_start(tiny_model: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    with pytest.raises(InputError, match="no chat template"):
        Template.from_spec(spec("chat"), tokenizer)
    tokenizer.chat_template = (
        "{{ bos_token }}{% for m in messages %}[{{ m.role }}] {{ m.content }}\n{% endfor %}"
        "{% if add_generation_prompt %}[assistant] {% endif %}"
    )
    template = Template.from_spec(spec("chat"), tokenizer)
    prompt = template.prompt("Ja. {bos_token}", DE_EN)
    assert prompt.startswith("<s>[user] Translate")
    assert prompt.endswith("Ja. {bos_token}\n[assistant] ")
    ids = prompt_ids(tokenizer, template, "Ja.", DE_EN)
    assert ids.count(tokenizer.bos_token_id) == 1


def test_a_tokenizer_without_start_mark_or_with_a_closing_one(tiny_model: Path) -> None:
    from tokenizers.processors import TemplateProcessing

    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single="$A </s>", special_tokens=[("</s>", 2)]
    )
    ids = prompt_ids(tokenizer, Template(), "Ja.", DE_EN)
    assert ids[0] != tokenizer.bos_token_id
    assert ids[-1] != tokenizer.eos_token_id, "a prompt stays open"


def test_a_tokenizer_without_an_end_mark_is_refused(tiny_model: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    tokenizer.eos_token = None
    with pytest.raises(InputError, match="no end mark"):
        encode(tokenizer, Template(), [OnePair("a", "b")], seed=0, max_length=99)


@settings(max_examples=60, deadline=None)
@given(source=st.text(max_size=40), target=st.text(min_size=1, max_size=40))
def test_any_text_survives_the_round_trip(tokenizer: Any, source: str, target: str) -> None:
    pair = OnePair(source, target)
    (example,), _ = encode(tokenizer, Template(), [pair], seed=0, max_length=4000)
    prompt = prompt_ids(tokenizer, Template(), source, DE_EN, variant_for(pair.key, 0))
    assert list(example.input_ids[: len(prompt)]) == prompt
    answer = example.input_ids[len(prompt) : -1]
    decoded = tokenizer.decode(
        answer, skip_special_tokens=False, clean_up_tokenization_spaces=False
    )
    assert decoded == target

"""What the contest of training trains on: bundled sentences, and a model of random weights.

A single bundled sentence is short, and all are of like length; news and documents are not. So each
text is one to four sentences that follow one another in the corpus, drawn with a fixed seed.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mtlab.corpora import open_corpus
from mtlab.prompts import Template, encode
from mtlab.settings import ASSETS, Settings
from mtlab.spec import Direction

DIRECTIONS = ("de-en", "en-de")
TEXTS = 640
HELD_OUT = 24
LONGEST = 4

Row = tuple[list[int], list[int]]
"""Token ids, and the labels the loss counts."""


@dataclass(frozen=True)
class Text:
    """Some sentences and their translations."""

    direction: Direction
    source: str
    target: str
    key: str


def training_texts(settings: Settings, tokenizer: Any, max_length: int) -> list[Row]:
    """The texts to train on."""
    corpus = open_corpus("everyday", settings)
    pools = [(Direction.parse(name), corpus.pool(Direction.parse(name))) for name in DIRECTIONS]
    return _rows(pools, TEXTS, tokenizer, max_length)


def held_out_texts(settings: Settings, tokenizer: Any, max_length: int) -> list[Row]:
    """Texts that none is trained on, for the loss at the end."""
    corpus = open_corpus("everyday", settings)
    tests = [(Direction.parse(name), corpus.test(Direction.parse(name))) for name in DIRECTIONS]
    return _rows(tests, HELD_OUT, tokenizer, max_length)


def write_model(folder: Path) -> None:
    """A Llama of 97 M parameters, its weights random but always the same, with nano's tokenizer."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=8000,
        hidden_size=768,
        intermediate_size=2048,
        num_hidden_layers=12,
        num_attention_heads=12,
        max_position_embeddings=1024,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=0,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    for file in (ASSETS / "nano").iterdir():
        if file.name.startswith(("tokenizer", "special_tokens")):
            shutil.copy(file, folder)


def _rows(
    pools: Sequence[tuple[Direction, Sequence[Any]]], count: int, tokenizer: Any, max_length: int
) -> list[Row]:
    draw = random.Random(0)
    texts = []
    for place in range(count):
        direction, pool = pools[place % len(pools)]
        size = draw.randint(1, LONGEST)
        start = draw.randrange(len(pool) - size)
        pairs = pool[start : start + size]
        source = " ".join(pair.source for pair in pairs)
        target = " ".join(pair.target for pair in pairs)
        texts.append(Text(direction, source, target, str(place)))
    examples, _ = encode(tokenizer, Template(), texts, 0, max_length)
    return [(list(example.input_ids), list(example.labels)) for example in examples]

"""Batches that fit into memory."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from transformers import MambaConfig

from mtlab.decoding import fitting_budget
from mtlab.decoding.budget import LEAST, batch_bytes
from mtlab.models import load
from mtlab.presets import Base
from mtlab.spec import Decoding


@pytest.fixture
def loaded(tiny_model, home):
    return load(Base("tiny", "tiny", path=tiny_model), precision="fp32", settings=home)


def test_a_budget_is_halved_until_a_batch_fits(loaded):
    decoding = Decoding(token_budget=4096, max_new_tokens=64)
    needed = batch_bytes(loaded, decoding, 4096)
    assert fitting_budget(loaded, decoding, free=2 * needed) == 4096, "never more than allowed"
    assert fitting_budget(loaded, decoding, free=2 * needed - 1) == 2048
    assert fitting_budget(loaded, decoding, free=needed // 2) == 1024
    assert fitting_budget(loaded, decoding, free=0) == LEAST
    assert fitting_budget(loaded, decoding) == 4096, "this machine has more than that free"


def test_processes_share_main_memory_and_no_gpu(loaded):
    decoding = Decoding(token_budget=4096, max_new_tokens=64)
    free = 2 * batch_bytes(loaded, decoding, 4096)
    assert fitting_budget(loaded, decoding, free, processes=2) == 2048
    on_gpus = replace(loaded, device="cuda")
    assert fitting_budget(on_gpus, decoding, free, processes=2) == 4096


def test_a_gpu_is_filled_further(loaded):
    decoding = Decoding(token_budget=4096, max_new_tokens=64)
    there = replace(loaded, device="cuda")
    needed = batch_bytes(there, decoding, 4096)
    assert needed < batch_bytes(loaded, decoding, 4096), "what no beam goes on from is dropped"
    assert fitting_budget(there, decoding, free=int(needed / 0.79)) == 4096
    assert fitting_budget(there, decoding, free=int(needed / 0.81)) == 2048
    assert fitting_budget(there, Decoding(max_new_tokens=64), free=10**12) == 262_144
    assert fitting_budget(loaded, Decoding(max_new_tokens=64), free=10**12) == 8_192


def test_a_model_without_attention_keeps_no_keys_and_values(loaded):
    config = MambaConfig(vocab_size=400)
    model = SimpleNamespace(config=config)
    assert batch_bytes(replace(loaded, model=model), Decoding(), 4096) == 16 * 3 * 4 * 4 * 400


def test_what_a_batch_takes_follows_from_the_model(loaded):
    # 16 sentences of 64 tokens, each with 4 beams of 64 more: keys and values of 2 layers, 2 heads
    # of width 8 in fp32; logits of 400 tokens.
    position = 2 * 2 * 2 * 8 * 4
    expected = 16 * (position * (64 + 4 * 64) + 3 * 4 * 4 * loaded.model.config.vocab_size)
    assert batch_bytes(loaded, Decoding(max_new_tokens=64), 4096) == expected
    greedy = Decoding(strategy="greedy", max_new_tokens=64)
    assert batch_bytes(loaded, greedy, 1024) < expected

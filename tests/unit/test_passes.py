"""How many tokens a GPU's training passes hold: as memory allows, and never more than asked for
where it is short.
"""

from __future__ import annotations

import pytest

from mtlab.models import pass_tokens
from mtlab.models.facts import Shape
from mtlab.models.passes import foretold_tokens
from mtlab.models.room import MAIN_MEMORY
from mtlab.spec import Training

GIB = 2**30
LLAMA = Shape(6_738_415_616, 6_476_271_616, 32, 4096, 11_008, 4096, 32_000)
USUAL = {"batch_size": 4, "accumulation": 4, "max_length": 512, "gradient_checkpointing": False}


def of(method: str, gib: float, **changes: object) -> int:
    training = Training(**{"method": method, "lora_rank": 16, **USUAL, **changes})
    trained = LLAMA.parameters if method == "full" else LLAMA.adapted(16)
    return pass_tokens(LLAMA, training, trained, int(gib * GIB))


@pytest.fixture(autouse=True)
def no_liger(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mtlab.models.memory.importlib.util.find_spec", lambda name: None)


def test_where_there_is_room_a_step_is_one_pass() -> None:
    assert of("lora", 120) == 16 * 512
    assert of("full", 120) == 16 * 512, "gradients take the room that activations leave"


def test_else_as_many_tokens_as_fit_and_those_asked_for_at_least() -> None:
    some = of("lora", 30)
    assert 4 * 512 < some < 16 * 512
    assert of("lora", 40) > some
    assert of("lora", 2) == of("full", 2) == 4 * 512, "what the spec's batch size asks for"
    assert 4 * 512 < of("full", 110) < 16 * 512


def test_what_spares_memory_is_heeded() -> None:
    assert of("lora", 120, gradient_checkpointing=True) == 4 * 512
    assert of("lora", 120, batch_size=1, accumulation=16) == 4 * 512, "it had been halved twice"
    assert of("lora", 120, batch_size=16, accumulation=1) == 16 * 512


def test_it_is_foretold_for_one_gpu_that_computes_in_bf16(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mtlab.models.formats.gpu_has_bf16", lambda: True)
    training = Training(method="full", precision="bf16", **USUAL)
    room = 139 * GIB
    assert 4 * 512 < foretold_tokens(LLAMA, training, room, "GPU") < 16 * 512
    lora = training.model_copy(update={"method": "lora", "lora_rank": 16})
    assert foretold_tokens(LLAMA, lora, 24 * GIB, "GPU") == 4 * 512
    assert foretold_tokens(LLAMA, training, room, MAIN_MEMORY) is None
    assert foretold_tokens(LLAMA, training, room, "GPU", devices=2) is None
    wide = training.model_copy(update={"precision": "fp32"})
    assert foretold_tokens(LLAMA, wide, room, "GPU") is None

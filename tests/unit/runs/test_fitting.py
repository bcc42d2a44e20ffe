"""What a run's training is like, by the memory it finds."""

from dataclasses import replace

import pytest

from mtlab.models import estimate, inspect, load, weights_bytes
from mtlab.presets import resolve_base
from mtlab.prompts import IGNORED, Example
from mtlab.runs import fitting
from mtlab.spec import RunSpec

EXAMPLES = [Example(tuple(range(90)), (IGNORED,) * 60 + tuple(range(30)), "key")] * 6


@pytest.fixture
def asked(tiny_model):
    return RunSpec(
        base=str(tiny_model),
        train=("de-en",),
        training={"method": "full", "batch_size": 4, "max_length": 128, "precision": "fp32"},
    )


def test_activations_are_computed_again_by_what_is_free_and_what_the_model_has(
    asked, home, monkeypatch
):
    base = resolve_base(asked.base, home)
    shape = inspect(base, home).shape
    loaded = load(base, precision="fp32", settings=home)
    held = replace(
        fitting.Held.usual(asked.training, asked.decoding), tokens=4 * 90, targets=4 * 30
    )
    need = estimate(shape, asked.training, 0, "main memory", held).total

    def again(free, spec=asked):
        monkeypatch.setattr(fitting, "available_memory", lambda: (round(free), "main memory"))
        return fitting.settled_training(spec, shape, loaded, EXAMPLES).gradient_checkpointing

    room = need / 0.9 - weights_bytes(loaded.model)
    assert again(room + 1e4) is False and again(room - 1e4) is True
    assert again(0, asked.with_changes(training__gradient_checkpointing=False)) is False

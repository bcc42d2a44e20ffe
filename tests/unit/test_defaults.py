from __future__ import annotations

import pytest

from mtlab.defaults import (
    LARGE,
    NANO,
    SMALL,
    Recipe,
    budget_of,
    complete,
    recipe_for,
    reopened,
)
from mtlab.presets import BASES, Base
from mtlab.spec import RunSpec, Training


def test_nothing_is_left_open() -> None:
    for base in BASES.values():
        spec = complete(RunSpec(base=base.name, train=["de-en"]), base)
        found_later = {"lora_targets"}  # from the architecture, when it is loaded
        if recipe_for(base) is LARGE:
            found_later.add("gradient_checkpointing")  # from the memory there is then
        assert {name for name, value in spec.training if value is None} == found_later
        tiny = recipe_for(base) is NANO
        left = {name for name, value in spec.decoding if value is None}
        assert left == (set() if tiny else {"token_budget"}), "which hangs on the machine"
        assert budget_of(spec.decoding, True) == (65_536 if tiny else 262_144)
        assert budget_of(spec.decoding, False) == (65_536 if tiny else 8_192)
        assert [str(direction) for direction in spec.tested] == ["de-en"]
        assert spec.test_corpus == "everyday"


def test_completing_again_changes_nothing() -> None:
    spec = complete(RunSpec(train=["de-en"], size=100), BASES["nano"])
    assert complete(spec, BASES["nano"]) == spec


def test_what_is_given_stays() -> None:
    asked = RunSpec(
        train=["de-en"],
        training={"method": "lora", "steps": 3, "learning_rate": 0.01, "batch_size": 5},
        decoding={"token_budget": 64},
    )
    spec = complete(asked, BASES["nano"])
    assert spec.training.steps == 3
    assert spec.training.learning_rate == 0.01
    assert spec.training.batch_size == 5
    assert spec.decoding.token_budget == 64
    assert complete(RunSpec(train=["de-en"], training={"method": "lora"}), BASES["nano"]) != spec


@pytest.mark.parametrize("method", ["lora", "full"])
@pytest.mark.parametrize("recipe", [NANO, SMALL, LARGE])
def test_steps_rise_with_the_size(recipe: Recipe, method: str) -> None:
    sizes = (1, 16, 32, 64, 256, 500, 1024, 5000, 74623)
    steps = [recipe.steps_for(size, method) for size in sizes]
    assert steps == sorted(steps)
    assert steps[0] >= 1


def test_the_recipe_follows_the_size_of_the_model() -> None:
    assert recipe_for(BASES["nano"]) is NANO
    assert recipe_for(BASES["smollm2-135m"]) is SMALL
    assert recipe_for(BASES["llama-2-7b"]) is LARGE
    assert recipe_for(Base("x/y", "x/y", repo="x/y")) is LARGE, "not known: be careful"


def test_accumulation_keeps_the_batch() -> None:
    training = complete(RunSpec(base="llama-2-7b", train=["de-en"]), BASES["llama-2-7b"]).training
    assert training.batch_size and training.accumulation
    assert training.batch_size * training.accumulation == LARGE.batch


@pytest.mark.parametrize(("method", "size"), [("few-shot", 5), ("none", 0)])
def test_a_method_that_trains_nothing_is_given_nothing_to_train_with(
    method: str, size: int
) -> None:
    training = {"method": method, "precision": "fp32"}
    spec = complete(RunSpec(train=["de-en"], size=5, training=training), BASES["nano"])
    assert spec.training == Training(method=method, precision="fp32")
    assert spec.training.steps is None and spec.training.learning_rate is None
    assert spec.train == () and [str(one) for one in spec.tested] == ["de-en"]
    assert spec.size == size and spec.probe_size == 0
    assert spec.score_base is (method == "few-shot"), "a base as it is would be scored twice"
    assert spec.decoding.max_new_tokens and complete(spec, BASES["nano"]) == spec
    tested = RunSpec(test=["de-en"], size=5, training=training)
    assert complete(tested, BASES["nano"]) == spec, "the same system, however it was asked for"


@pytest.mark.parametrize(
    "asked",
    [
        RunSpec(train=["de-en"]),
        RunSpec(train=["de-en", "en-de"], size=512, test=["en-fr"], test_corpus="wmt"),
        RunSpec(train=["de-en"], training={"method": "lora", "steps": 3, "lora_rank": 4}),
        RunSpec(train=["de-en"], decoding={"max_new_tokens": 60}, name="mine", seed=3),
        RunSpec(test=["de-en"], size=3, training={"method": "few-shot"}),
    ],
)
def test_what_was_left_open_is_open_again(asked: RunSpec) -> None:
    assert reopened(complete(asked, BASES["nano"]), BASES["nano"]) == asked


def test_what_is_of_no_use_is_left_out_again() -> None:
    asked = RunSpec(test=["de-en"], training={"method": "none"})
    assert reopened(complete(asked, BASES["nano"]), BASES["nano"]) == asked


def test_what_another_size_would_change_is_open_again() -> None:
    small = reopened(complete(RunSpec(train=["de-en"]), BASES["nano"]), BASES["nano"])
    large = complete(small.with_changes(size=1024), BASES["nano"])
    assert large == complete(RunSpec(train=["de-en"], size=1024), BASES["nano"])

"""Half the batch, the same pairs per step."""

import pytest

from mtlab import RunSpec
from mtlab.defaults import complete
from mtlab.errors import InputError
from mtlab.halving import can_halve, halved, with_budget
from mtlab.presets import BASES


def spec_with(batch, accumulation, **changes):
    training = {"batch_size": batch, "accumulation": accumulation}
    return complete(RunSpec(train=["de-en"], training=training, **changes), BASES["nano"])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ((16, 1), (8, 2)),
        ((8, 2), (4, 4)),
        ((2, 1), (1, 2)),
        ((5, 2), (2, 5)),
        ((7, 1), (1, 7)),
        ((6, 1), (3, 2)),
    ],
)
def test_the_pairs_of_a_step_stay_the_same(before, after):
    spec = spec_with(*before)
    less = halved(spec)
    assert (less.training.batch_size, less.training.accumulation) == after
    assert less.decoding.token_budget == spec.decoding.token_budget // 2
    same = {"training__batch_size": before[0], "training__accumulation": before[1]}
    budget = spec.decoding.token_budget
    assert less.with_changes(**same, decoding__token_budget=budget) == spec


def test_a_batch_of_one_cannot_be_halved():
    spec = spec_with(1, 16)
    assert not can_halve(spec, "training")
    with pytest.raises(InputError, match="training.batch_size: the batch cannot be made smaller"):
        halved(spec)
    with pytest.raises(InputError, match="cannot be made smaller"):
        halved(spec_with(2, 4096))


def test_what_trains_nothing_decodes_in_smaller_batches():
    method = {"training": {"method": "none"}, "test": ["de-en"]}
    spec = complete(RunSpec(**method), BASES["nano"])
    assert halved(spec).decoding.token_budget == spec.decoding.token_budget // 2
    assert halved(spec).training == spec.training
    with pytest.raises(InputError, match="decoding.token_budget"):
        halved(complete(RunSpec(**method, decoding={"token_budget": 64}), BASES["nano"]))


@pytest.mark.parametrize(
    ("allowed", "fitted", "halvings", "used"),
    [
        (65536, 8192, (), 8192),
        (32768, 8192, ("decoding",), 4096),
        (65536, 8192, ("training",), 8192),
        (32768, 65536, ("decoding",), 32768),
        (64, 100, ("decoding",), 64),
    ],
)
def test_what_was_found_to_fit_and_did_not_is_halved_as_well(allowed, fitted, halvings, used):
    spec = complete(RunSpec(train=["de-en"], decoding={"token_budget": allowed}), BASES["nano"])
    assert with_budget(spec, fitted, halvings).decoding.token_budget == used

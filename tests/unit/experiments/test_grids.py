"""A run as the beginning of a grid."""

import pytest

from mtlab.errors import InputError
from mtlab.experiments import Experiment
from mtlab.experiments.grids import grid_of
from mtlab.spec import RunSpec

SPEC = RunSpec(train=["de-en", "en-de"], training={"method": "lora"}, name="mine")


def specs_of(varied, seeds=(0,), spec=SPEC, **more):
    return grid_of(spec, varied, seeds, **more).specs()


def test_seeds_alone_make_the_same_run_with_each():
    made = specs_of({}, (3, 5))
    assert made == tuple(SPEC.with_changes(seed=seed, group="nano/seeds") for seed in (3, 5))


def test_what_varies_is_crossed_and_all_else_stays():
    made = specs_of({"size": (16, 64), "reverse": (0, 0.1)}, (0, 1))
    assert len(made) == 8
    assert {(one.size, one.reverse, one.seed) for one in made} == {
        (size, share, seed) for size in (16, 64) for share in (0, 0.1) for seed in (0, 1)
    }
    kept = {"training": SPEC.training, "train": SPEC.train, "base": "nano"}
    for name, value in kept.items():
        assert all(getattr(one, name) == value for one in made)
    assert {one.group for one in made} == {"nano/size-reverse"}


def test_a_clean_run_is_made_once_whatever_noise_there_is():
    made = specs_of({"noise.kind": ("none", "word"), "noise.side": ("source", "target")})
    assert [one.name for one in made] == [
        "clean", "word noise on the source", "word noise on the target",
    ]  # fmt: skip
    assert [one.noise.active for one in made] == [False, True, True]


def test_a_kind_brings_what_it_needs():
    options = {"sentence": {"noise.translator": "base:nano"}}
    made = specs_of({"noise.kind": ("word", "sentence")}, options=options)
    assert [one.noise.translator for one in made] == [None, "base:nano"]


def test_the_noise_of_the_run_varies_in_its_ratio_alone():
    noisy = SPEC.with_changes(noise__kind="typo", noise__side="both")
    made = specs_of({"noise.ratio": (0.5, 1.0)}, spec=noisy)
    assert [(one.noise.kind, one.noise.side, one.noise.ratio) for one in made] == [
        ("typo", "both", 0.5), ("typo", "both", 1.0),
    ]  # fmt: skip


def test_directions_one_by_one_are_tested_on_all_of_them():
    sets = (("de-en", "en-de"), ("de-en",), ("en-de",))
    made = specs_of({"train": sets})
    assert [one.name for one in made] == ["all directions", "de-en only", "en-de only"]
    assert {tuple(map(str, one.tested)) for one in made} == {("de-en", "en-de")}
    tested = SPEC.with_changes(test=["en-fr"])
    assert {tuple(map(str, one.tested)) for one in specs_of({"train": sets}, spec=tested)} == {
        ("en-fr",)
    }


def test_directions_and_noise_together_carry_both_labels():
    made = specs_of({"train": (("de-en",), ("en-de",)), "noise.kind": ("none", "typo")})
    assert [one.name for one in made] == [
        "de-en only, clean", "de-en only, typo noise on the target",
        "en-de only, clean", "en-de only, typo noise on the target",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("varied", "field"),
    [
        ({"size": ()}, "size"),
        ({"noise.side": ("source",)}, "noise.side"),
        ({"noise.kind": ("none",)}, "noise.kind"),
        ({"steps": (1,)}, "steps"),
    ],
)
def test_what_makes_no_grid_is_said_of_its_knob(varied, field):
    with pytest.raises(InputError) as caught:
        grid_of(SPEC, varied, (0,))
    assert caught.value.field == field and caught.value.fix


def test_as_a_file_it_makes_the_same_runs(tmp_path):
    grid = grid_of(
        SPEC, {"size": (16, 32), "noise.kind": ("none", "word"), "base": ("nano",)}, (0, 1)
    )
    path = tmp_path / "mine.yaml"
    path.write_text(grid.to_yaml())
    assert Experiment.from_yaml(path).specs() == grid.specs()

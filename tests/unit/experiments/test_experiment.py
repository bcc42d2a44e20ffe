"""A grid as a value: how many runs, in which order, with which references, and what is refused."""

import pytest
import yaml

from mtlab.errors import InputError
from mtlab.experiments import Experiment
from mtlab.experiments.experiment import to_seeds

SPEC = {"base": "nano", "train": ["de-en"], "size": 32}


def test_every_combination_is_run_once_a_whole_seed_first():
    made = Experiment(
        "mine",
        SPEC,
        {"size": [16, 32], "noise.ratio": [0.5, 1]},
        ({}, {"noise.kind": "word"}),
        (0, 4),
    )
    specs = made.specs()
    assert len(specs) == len({spec.to_yaml() for spec in specs}) == 2 * 2 * 2 * 2
    assert [spec.seed for spec in specs] == [0] * 8 + [4] * 8
    first = [(spec.size, spec.noise.ratio, spec.noise.kind) for spec in specs[:4]]
    assert first == [(16, 0.5, "none"), (16, 0.5, "word"), (16, 1, "none"), (16, 1, "word")]
    assert {spec.group for spec in specs} == {"mine"}


def test_a_variation_outdoes_an_axis_and_what_that_makes_equal_is_run_once(home):
    made = Experiment(
        "mine", SPEC, {"size": [16, 32]}, ({"label": "whole", "size": "all"}, {"reverse": 0.5})
    )
    found = [(spec.size, spec.reverse, spec.name) for spec in made.specs(home)]
    assert found == [(708, 0, "whole"), (16, 0.5, None), (32, 0.5, None)]


def test_all_is_what_the_corpus_has_for_the_training_directions(home, tmp_path):
    rows = [f"Satz {n}\tsentence {n}" for n in range(40)]
    (tmp_path / "own.tsv").write_text("\n".join(["de\ten", *rows]), encoding="utf-8")
    axes = {"train": [["de-en"], ["de-en", "en-de"]], "size": [16, "all"]}
    specs = Experiment("mine", {"base": "nano"}, axes).specs(home)
    assert [spec.size for spec in specs] == [16, 708, 16, 1416]
    own = Experiment("mine", {**SPEC, "corpus": str(tmp_path / "own.tsv"), "size": "all"})
    assert 0 < own.specs(home)[0].size < 40  # some of its rows are held out for the test


def test_a_reference_is_the_run_of_the_same_place_and_seed():
    cycles = ({"label": "one"}, {"label": "two", "base": "run:@one", "seed": 1000})
    steps = Experiment("mine", SPEC, {"noise.kind": ["none", "word"]}, cycles, (0, 1)).steps()
    assert [dict(step.needs) for step in steps[1::2]] == [{"base": place} for place in (0, 2, 4, 6)]
    assert not any(step.needs for step in steps[::2])
    assert [step.spec.seed for step in steps] == [0, 1000, 0, 1000, 1, 1001, 1, 1001]
    assert steps[3].resolved({2: "20200101-000000-abcd"}).base == "run:20200101-000000-abcd"
    assert steps[2].resolved({}) == steps[2].spec


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"axes": {"colour": ["red"]}}, "axes.colour: there is no such field"),
        ({"axes": {"seed": [1, 2]}}, "axes.seed: this field cannot be set here"),
        ({"axes": {"size": []}}, "axes.size: the axis has no values"),
        ({"axes": {"size": 16}}, "axes.size: the axis has no values"),
        ({"axes": {"size": "all"}}, "axes.size: the axis has no values"),
        ({"axes": ["size"]}, "is not made of fields"),
        ({"axes": {"size": list(range(1, 80)), "reverse": [0.1] * 80}}, "the grid has 6,320 runs"),
        ({"variations": []}, "there are no variations"),
        ({"variations": ["word"]}, "is not made of fields"),
        ({"variations": [{"noise": {"colour": 1}}]}, "noise.colour: there is no such field"),
        ({"seeds": 0}, "seeds"),
        ({"seeds": [1, 1]}, "seeds"),
        ({"seeds": "three"}, "seeds"),
        ({"size": 32}, "size: there is no such part of a sweep"),
        ({"spec": "nano"}, "is not made of fields"),
        ({"name": ""}, "the sweep has no name"),
    ],
)
def test_what_is_no_experiment_gets_one_sentence(fields, says):
    with pytest.raises(InputError, match=says) as caught:
        Experiment.from_json({"name": "mine", "spec": SPEC, **fields})
    assert caught.value.fix and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"axes": {"size": [0]}}, "size: 0 is out of range"),
        ({"axes": {"train": ["de-de"]}}, "into itself"),
        ({"axes": {"noise.kind": ["gremlins"]}}, "noise.kind"),
        ({"variations": [{"base": "run:@later"}, {"label": "later"}]}, "names no variation above"),
        ({"variations": [{"seed": "x"}]}, "seed"),
    ],
)
def test_a_run_that_is_no_spec_is_refused_before_any_is_launched(fields, says):
    with pytest.raises(InputError, match=says):
        Experiment.from_json({"name": "mine", "spec": SPEC, **fields}).steps()


def test_a_file_says_the_same_as_the_value(tmp_path, home):
    made = Experiment(
        "mine/all of it", {**SPEC, "noise.side": "source"}, {"size": [16, "all"]},
        ({"label": "clean"}, {"noise.kind": "word"}), (0, 3), "a title", "something",
    )  # fmt: skip
    (tmp_path / "sweep.yaml").write_text(made.to_yaml(), encoding="utf-8")
    read = Experiment.from_yaml(tmp_path / "sweep.yaml")
    assert read.to_json() == made.to_json() and read.steps(home) == made.steps(home)
    nested = {"spec": {"train": "de-en", "noise": {"kind": "word", "side": "source"}}, "seeds": 2}
    (tmp_path / "nested.yaml").write_text(yaml.safe_dump(nested), encoding="utf-8")
    read = Experiment.from_yaml(tmp_path / "nested.yaml")
    assert read.name == "nested" and read.seeds == (0, 1)
    assert read.specs()[0].noise.side == "source"
    assert read.with_fields({"noise.side": "target"}).specs()[0].noise.kind == "word"


def test_a_fixed_field_may_not_be_one_that_varies():
    made = Experiment("mine", SPEC, {"size": [16]}, ({}, {"noise.kind": "word"}))
    assert made.with_fields({"test_limit": 4}).specs()[1].test_limit == 4
    for path in ("size", "noise.kind"):
        with pytest.raises(InputError, match="varies it"):
            made.with_fields({path: 1})


def test_seeds_are_a_number_or_a_list():
    assert to_seeds(3) == (0, 1, 2) and to_seeds([5, 1]) == (5, 1)
    for wrong in (0, True, -1, [True], ["1"], None):
        with pytest.raises(InputError, match="seeds"):
            to_seeds(wrong)

"""The ready-made experiments: their grids on the bundled corpus, and what a choice changes."""

import itertools

import pytest

from mtlab.corpora import check
from mtlab.errors import InputError
from mtlab.experiments import PRESETS, Choices, Experiment, ladders, preset, presets
from mtlab.presets import BASES

ONE = (0,)


def specs(name, home, **choices):
    return preset(name, Choices(seeds=ONE, **choices), home).specs(home)


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_a_grid_that_the_bundled_corpus_can_serve(name, home):
    made = preset(name, Choices(), home)
    steps = made.steps(home)
    assert len(steps) % 3 == 0 and len(steps) > 6
    assert {step.spec.group for step in steps} == {name}
    assert made.title and made.shows
    assert Experiment.from_json(made.to_json()).steps(home) == steps
    for spec in {step.spec.size: step.spec for step in steps}.values():
        check(spec, home)
    for place, step in enumerate(steps):
        assert all(other < place for other in step.needs.values())


def test_size_doubles_up_to_all_pairs_in_four_directions(home):
    found = specs("paper/size", home)
    assert [spec.size for spec in found] == [16, 32, 48, 64, 128, 256, 512, 1024, 2048, 2832]
    assert all(len(spec.train) == len(spec.tested) == 4 for spec in found)
    two = specs("paper/size", home, train=("en-is", "is-en"), sizes=(8, "all"))
    assert [(spec.size, str(spec.train[0])) for spec in two] == [(8, "en-is"), (1416, "en-is")]


def test_the_papers_sizes_run_to_its_74623_pairs():
    sizes = ladders.sizes_up_to(74_623)
    assert sizes[0] == 16 and sizes[-2:] == (65_536, "all") and len(sizes) == 14
    assert all(b == 2 * a for a, b in itertools.pairwise(sizes[:-1]))


def test_direction_sets_each_single_one_against_all_and_tests_every_one(home):
    found = specs("paper/direction", home)
    assert [len(spec.train) for spec in found] == [6, 1, 1, 1, 1, 1, 1]
    assert all(len(spec.tested) == 8 for spec in found)
    wmt = specs("paper/direction", home, corpus="wmt")
    assert [spec.name for spec in wmt[1:]] == [
        f"{one} only" for one in ("de-en", "zh-en", "en-de", "en-zh", "fr-de", "de-fr")
    ]
    assert len(wmt[0].train) == 10 and len(wmt[0].tested) == 11


def test_noise_has_one_clean_run_for_both_sides_in_each_language(home):
    found = specs("paper/noise", home)
    cells = [(spec.noise.kind, spec.noise.side) for spec in found if spec.noise.active]
    kinds = len(presets.PAPER_KINDS)
    assert len(cells) == 2 * kinds * 2 * 3
    clean = [s for s in found if not s.noise.active and s.name == "clean"]
    assert len(clean) == 2 * 3
    assert {str(spec.train[0]) for spec in clean} == {"en-de", "en-is"}


def test_sentence_noise_is_made_by_a_run_of_the_same_sweep():
    clean, translator = presets._with_translator(("word", "sentence"), ("en-de", "en-is"))
    assert clean["noise.kind"] == translator["noise.kind"] == "none"
    assert translator["train"] == ["en-de", "de-en", "en-is", "is-en"]
    assert presets._by("sentence") == {"noise.translator": "@translator"}
    assert presets._by("word") == {}


def test_reversed_shares_and_cycles(home):
    assert [spec.reverse for spec in specs("next/reverse", home)] == [0, 0.01, 0.05, 0.1, 0.5]
    cycles = specs("next/cycles", home)
    assert [spec.base for spec in cycles[:3]] == ["nano", "run:@cycle 1", "run:@cycle 2"]
    assert len({spec.seed for spec in cycles[:4]}) == 4


def test_architectures_are_known_bases_and_not_a_choice(home):
    found = specs("next/architecture", home)
    assert {spec.base for spec in found} == set(presets.ARCHITECTURES) <= set(BASES)
    with pytest.raises(InputError, match="varies it"):
        specs("next/architecture", home, base="nano")


def test_a_preset_that_is_not_there_is_named_with_a_near_one(home):
    with pytest.raises(InputError, match="did you mean 'paper/size'"):
        preset("paper/sizes", Choices(), home)

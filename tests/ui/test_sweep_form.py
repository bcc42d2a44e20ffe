"""What a person chooses of a sweep, as an experiment."""

import pytest

from mtlab.errors import InputError
from mtlab.spec import RunSpec
from mtlab.ui.form import BLANK
from mtlab.ui.launch.sweep_form import FIRST, KNOBS, experiment_of

SPEC = RunSpec(train=["de-en", "en-de"])


def made(knobs, values=BLANK, spec=SPEC, **chosen):
    return experiment_of(spec, (4,), values, knobs, {**FIRST, **chosen}, " mine ")


def test_every_knob_begins_with_values_that_make_a_sweep(home):
    noisy = SPEC.with_changes(noise__kind="word")
    for knob in KNOBS:
        sweep = made([knob], spec=noisy)
        assert sweep.name == "mine"
        assert len(sweep.specs(home)) > 1 or knob == "base"


def test_the_seeds_are_those_of_the_form_unless_they_vary(home):
    assert made(["size"]).seeds == (4,)
    assert made(["seed"], seed="2 seeds").seeds == (0, 1)


def test_directions_one_by_one_against_all(home):
    runs = made(["train"]).specs()
    assert [" ".join(map(str, one.train)) for one in runs] == ["de-en en-de", "de-en", "en-de"]
    (alone,) = made(["train"], spec=RunSpec(train=["de-en"])).specs()
    assert alone.name == "de-en only"


def test_a_kind_takes_what_the_form_says_of_it():
    values = {**BLANK, "translator": "base:nano", "dictionary_path": "/a/de-en.txt"}
    runs = made(["noise_kind"], values, noise_kind=["none", "sentence", "word"]).specs()
    assert [(one.noise.translator, one.noise.dictionary) for one in runs] == [
        (None, None), ("base:nano", None), (None, "/a/de-en.txt"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("knobs", "chosen", "field"),
    [
        ([], {}, "sweep"),
        (["nonsense"], {}, "sweep"),
        (["size"], {"size": "16, lots"}, "size"),
        (["size"], {"size": " "}, "size"),
        (["noise_kind"], {"noise_kind": []}, "noise.kind"),
        (["noise_side"], {}, "noise.side"),
        (["reverse"], {"reverse": "a few"}, "reverse"),
        (["train"], {"train": []}, "train"),
        (["seed"], {"seed": "x"}, "seed"),
    ],
)
def test_what_makes_no_sweep_names_its_knob(knobs, chosen, field):
    with pytest.raises(InputError) as caught:
        made(knobs, **chosen)
    assert caught.value.field == field and caught.value.fix

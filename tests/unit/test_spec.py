import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtlab import Direction, InputError, Noise, RunSpec, Training
from mtlab.languages import LANGUAGES
from mtlab.spec import put


def test_a_direction_reads_and_writes_the_same_text():
    direction = Direction.parse("de-en")
    assert (direction.source, direction.target) == ("de", "en")
    assert str(direction) == "de-en"
    assert str(direction.reversed()) == "en-de"
    assert (direction.source_name, direction.target_name) == ("German", "English")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("de-de", "into itself"),
        ("xx-de", "'xx' is not a language"),
        ("de", "write source-target"),
        ("de-en-fr", "write source-target"),
        ("", "write source-target"),
    ],
)
def test_a_bad_direction_is_refused_in_one_sentence(text, says):
    with pytest.raises(InputError, match=says) as caught:
        Direction.parse(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"size": 0}, "size"),
        ({"size": -3}, "size"),
        ({"size": "many"}, "size"),
        ({"size": None}, "size"),
        ({"size": 1.5}, "size"),
        ({"train": ["de-de"]}, "train"),
        ({"train": "xx-en"}, "train"),
        ({"train": {"de": "en"}}, "train"),
        ({"train": [False, 3]}, "train"),
        ({"test": ["de-de"]}, "test"),
        ({"train": ["de-en", "de-en"]}, "train"),
        ({"train": []}, "train"),
        ({"noise": {"kind": "word", "ratio": 1.5}}, "noise.ratio"),
        ({"noise": {"kind": "word", "ratio": -0.1}}, "noise.ratio"),
        ({"noise": {"kind": "word", "ratio": float("nan")}}, "noise.ratio"),
        ({"noise": {"kind": "gremlins"}}, "noise.kind"),
        ({"noise": {"side": "top"}}, "noise.side"),
        ({"noise": {1: 2}}, "noise.1"),
        ({"noise": "word"}, "noise"),
        ({"name": "x" * 121}, "name"),
        ({"base": ""}, "base"),
        ({"test": []}, "test"),
        ({"seed": -1}, "seed"),
        ({"template": "no place for it"}, "template"),
        ({"template": "{source} in {target_langage}:"}, "template"),
        ({"training": {"learning_rate": 0}}, "training.learning_rate"),
        ({"colour": "red"}, "colour"),
        ({"metrics": ["meteor"]}, "metrics"),
    ],
)
def test_a_bad_field_is_named_with_its_fix(fields, field):
    with pytest.raises(InputError) as caught:
        RunSpec(**{"train": ["de-en"], **fields})
    assert caught.value.field == field
    assert caught.value.fix
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"size": "0"}, "size: 0 is out of range: give 1 or more."),
        ({"size": "ten"}, "size: 'ten' cannot be used: give a whole number."),
        ({"noise": {"ratio": "1.5"}}, "noise.ratio: 1.5 is out of range: give 0 to 1."),
        (
            {"training": {"learning_rate": 0}},
            "training.learning_rate: 0 is out of range: give more than 0 and 1 or less.",
        ),
        (
            {"train": ["de-de"]},
            "train: 'de-de' translates a language into itself: "
            "give two different languages, like de-en.",
        ),
        ({"template": "long " * 9000 + "{source}", "size": "9" * 9000}, None),
    ],
)
def test_what_is_wrong_is_said_in_plain_words(fields, sentence):
    with pytest.raises(InputError) as caught:
        RunSpec(**{"train": ["de-en"], **fields})
    assert len(str(caught.value)) < 200
    assert sentence is None or str(caught.value) == sentence


def test_a_yaml_whose_keys_or_parts_are_odd_is_refused_in_a_sentence():
    with pytest.raises(InputError, match="1: there is no such field"):
        RunSpec.from_json({"train": "de-en", 1: 4})
    with pytest.raises(InputError, match="noise: 'word' is not made of fields"):
        put({"noise": "word"}, "noise.ratio", 1)
    data = {"noise": None}
    put(data, "noise.ratio", 0.5)
    assert data == {"noise": {"ratio": 0.5}}


def test_a_part_on_its_own_is_validated_too():
    with pytest.raises(InputError, match="ratio"):
        Noise(ratio=-0.1)
    with pytest.raises(InputError, match="steps"):
        Training(steps=0)


directions = st.lists(
    st.tuples(*[st.sampled_from(sorted(LANGUAGES))] * 2).filter(lambda pair: pair[0] != pair[1]),
    min_size=1,
    max_size=4,
    unique=True,
)


@given(
    pairs=directions,
    size=st.integers(1, 100_000),
    kind=st.sampled_from(["none", "word"]),
    ratio=st.floats(0, 1),
    steps=st.none() | st.integers(1, 500),
)
def test_a_spec_survives_json_and_yaml(tmp_path_factory, pairs, size, kind, ratio, steps):
    spec = RunSpec(
        size=size,
        train=["-".join(pair) for pair in pairs],
        noise={"kind": kind, "ratio": ratio},
        training={"steps": steps},
    )
    assert RunSpec.from_json(spec.to_json()) == spec
    file = tmp_path_factory.mktemp("spec") / "spec.yaml"
    file.write_text(spec.to_yaml(), encoding="utf-8")
    assert RunSpec.from_yaml(file) == spec


def test_a_spec_is_frozen_and_changes_make_another():
    spec = RunSpec(train=["de-en"])
    with pytest.raises(Exception, match="frozen"):
        spec.size = 64
    changed = spec.with_changes(size=64, training__steps=7)
    assert (changed.size, changed.training.steps) == (64, 7)
    assert spec.size == 32
    with pytest.raises(InputError, match="size"):
        spec.with_changes(size=0)


def test_what_is_tested_defaults_to_what_is_trained():
    assert RunSpec(train=["de-en"]).tested == (Direction.parse("de-en"),)
    assert RunSpec(train=["de-en"], test="en-fr").tested == (Direction.parse("en-fr"),)


@pytest.mark.parametrize("text", ["- a\n- list\n", "a: [unclosed", "just words"])
def test_a_file_that_is_no_spec_is_refused(tmp_path, text):
    file = tmp_path / "spec.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="spec"):
        RunSpec.from_yaml(file)


def test_a_missing_spec_file_is_named(tmp_path):
    with pytest.raises(InputError, match="nowhere.yaml"):
        RunSpec.from_yaml(tmp_path / "nowhere.yaml")

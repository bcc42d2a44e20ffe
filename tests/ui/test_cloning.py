"""A spec in the form and back: what is cloned is what would be launched."""

import pytest

from mtlab.defaults import complete, reopened
from mtlab.errors import InputError
from mtlab.experiments import PRESETS, Choices, preset
from mtlab.presets import resolve_base
from mtlab.settings import Settings
from mtlab.spec import RunSpec
from mtlab.ui.form import BLANK, FIELDS, form_from_spec, problems_of, spec_from_form

SPECS = [
    RunSpec(train=["de-en"]),
    RunSpec(train=["de-en", "fr-en"], size=1384, balance="proportional", reverse=0.05, seed=7),
    RunSpec(train=["en-is"], test=["is-en", "en-fr"], test_corpus="wmt", test_limit=8),
    RunSpec(train=["de-en"], noise={"kind": "word", "side": "source", "ratio": 0.25}),
    RunSpec(train=["de-en"], noise={"kind": "word", "dictionary": "/a/{source}-{target}.txt"}),
    RunSpec(train=["de-en"], noise={"kind": "jargon", "side": "both", "terms": "/a/terms.txt"}),
    RunSpec(train=["de-en"], noise={"kind": "sentence", "translator": "base:nano"}),
    RunSpec(train=["de-en"], noise={"kind": "wrong-language", "language": "fr"}),
    RunSpec(train=["de-en"], noise={"kind": "typo", "ratio": 0}),
    RunSpec(
        base="owner/name",
        revision="abc",
        train=["de-en"],
        corpus="/home/uploads/0123/pairs.tsv",
        training={
            "method": "lora", "learning_rate": 1e-5, "steps": 3, "batch_size": 2,
            "accumulation": 8, "schedule": "cosine", "warmup": 0, "weight_decay": 0.01,
            "precision": "bf16", "gradient_checkpointing": False, "max_length": 64,
            "checkpoint_steps": 10, "lora_rank": 4, "lora_alpha": 8, "lora_dropout": 0.1,
            "lora_targets": ["q_proj", "v_proj"],
        },
        decoding={
            "strategy": "sample", "beams": 1, "max_new_tokens": 60, "temperature": 0.7,
            "top_p": 0.9, "token_budget": 512,
        },
        metrics=["chrf"],
        comet_model="Unbabel/wmt20-comet-da",
        template="Say '{source}'\nin {target_language}:",
        probe_size=0,
        score_base=False,
        name="two words & <more>",
        group="mine",
    ),
    RunSpec(train=["de-en"], training={"method": "full", "gradient_checkpointing": True}),
    RunSpec(train=["de-en"], decoding={"backend": "ctranslate2", "precision": "int8"}),
    RunSpec(test=["de-en", "en-de"], size=3, training={"method": "few-shot"}),
    RunSpec(base="outputs:/a/b {direction}.txt", test=["de-en"], training={"method": "none"}),
    RunSpec(base="run:20260101-000000-abcd", train=["de-en"]),
]  # fmt: skip


@pytest.mark.parametrize("spec", SPECS)
def test_a_spec_comes_back_out_of_the_form(spec, home):
    values = form_from_spec(spec)
    assert set(values) == set(FIELDS)
    assert spec_from_form(values, home) == spec


@pytest.mark.parametrize("name", [name for name in PRESETS if name != "next/architecture"])
def test_so_does_every_run_of_the_ready_made_sweeps(name, home):
    for step in preset(name, Choices(seeds=(0, 3)), home).steps(home):
        base = resolve_base("nano", home)
        again = spec_from_form(form_from_spec(step.spec), home)
        assert complete(again, base) == complete(step.spec, base)


def test_the_side_of_no_noise_is_not_kept(home):
    spec = RunSpec(train=["de-en"], noise={"side": "source", "ratio": 0.5})
    assert spec_from_form(form_from_spec(spec), home) == RunSpec(train=["de-en"])


def test_a_finished_run_fills_the_form_with_what_was_chosen_alone():
    """Its spec is complete; what follows from base and size is to follow again."""
    base = resolve_base("nano", Settings.from_environment())
    chosen = RunSpec(train=["en-de"], size=64, decoding={"beams": 2})
    values = form_from_spec(reopened(complete(chosen, base), base))
    assert {name for name in FIELDS if values[name] != BLANK[name]} == {"size", "train", "beams"}


def test_a_part_of_a_spec_is_the_fields_that_show_it():
    assert form_from_spec({"size": 64, "noise": {"kind": "word"}}) == {
        "size": "64", "noise_kind": "word",
    }  # fmt: skip
    assert form_from_spec({"corpus": "wmt", "training": {"steps": 5}}) == {
        "corpus": "wmt", "upload": None, "steps": "5",
    }  # fmt: skip


def test_all_that_is_wrong_is_said_of_its_own_field(home):
    values = {**BLANK, "size": "lots", "learning_rate": "7", "seed": "x", "warmup": "2"}
    spec, problems = problems_of(values, home)
    assert spec is None
    assert set(problems) == {"size", "learning_rate", "seed", "warmup"}
    assert "'lots' cannot be used" in problems["size"].what
    assert problems["learning_rate"].fix == "give more than 0 and 1 or less"


def test_nothing_wrong_gives_the_spec(home):
    assert problems_of(BLANK, home) == (spec_from_form(BLANK, home), {})


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"train": []}, "train"),
        ({"base": " "}, None),
        ({"method": "few-shot", "size": "3"}, "test"),
        ({"method": "few-shot", "size": "100", "test": ["de-en"]}, "size"),
        (
            {"method": "few-shot", "size": "3", "test": ["de-en"], "template": "{source}"},
            "template",
        ),
        ({"noise_kind": "typo", "noise_ratio": 2}, "noise_ratio"),
        ({"noise_kind": "wrong-language", "language": "xx"}, "language"),
        ({"corpus": "nowhere.tsv", "size": "all"}, "corpus"),
        ({"metrics": []}, "metrics"),
        ({"beams": "0"}, "beams"),
        ({"gradient_checkpointing": "perhaps"}, "gradient_checkpointing"),
    ],
)
def test_a_problem_has_a_field_of_the_form(home, changes, field):
    _, problems = problems_of({**BLANK, **changes}, home)
    assert list(problems) == ([field] if field else [])


def test_what_is_wrong_all_the_same_is_said_once(home):
    """A problem that stays when its field is emptied must not be looked at for ever."""
    _, problems = problems_of({**BLANK, "method": "nonsense", "test": ["de-de"]}, home)
    assert set(problems) == {"method", "test"}
    assert all(isinstance(one, InputError) for one in problems.values())

"""No spec from the network names a file, whichever field it tries."""

import typing

import pytest

from mtlab.errors import InputError
from mtlab.runs.remote import FILES, PATHS, refuse_files
from mtlab.spec import Decoding, Noise, RunSpec, Training

# Text fields that are no path wherever they are used. A new text field must be put here or be
# checked by `refuse_files`.
HARMLESS = {"name", "group", "template", "noise.language", "training.lora_targets"}
CHECKED = {*PATHS, *FILES, "revision", "comet_model"}


def text_fields(model, prefix=""):
    for name, field in model.model_fields.items():
        kind = field.annotation
        inner = [kind, *typing.get_args(kind)]
        if any(one is str or one == tuple[str, ...] for one in inner):
            yield f"{prefix}{name}"


def test_every_text_field_of_a_spec_is_checked_or_harmless():
    found = {
        *text_fields(RunSpec),
        *text_fields(Noise, "noise."),
        *text_fields(Training, "training."),
        *text_fields(Decoding, "decoding."),
    }
    assert found == HARMLESS | CHECKED


def spec(**changes):
    return RunSpec(**{"size": 8, "train": ("de-en",), **changes})


NONE = {"training": {"method": "none"}, "test": ("de-en",), "train": ()}


@pytest.mark.parametrize(
    "allowed",
    [
        {},
        {"base": "Nano"},
        {"base": "Qwen/Qwen2.5-0.5B", "revision": "v1.0_x-y"},
        {"base": "run:20260101-000000-abcd"},
        {"base": "Helsinki-NLP/opus-mt-{source}-{target}", **NONE},
        {"corpus": "wmt", "test_corpus": "everyday"},
        {"corpus": "hub:Helsinki-NLP/opus-100,config=de-en"},
        {"noise": {"kind": "sentence", "translator": "latest"}},
        {"noise": {"kind": "sentence", "translator": "20260101-000000-abcd"}},
        {"noise": {"kind": "sentence", "translator": "base:nano"}},
        {
            "noise": {
                "kind": "sentence",
                "translator": "Helsinki-NLP/opus-mt-{source}-{target}@main",
            }
        },
    ],
)
def test_things_of_the_lab_and_of_the_hub_may_be_named(allowed):
    refuse_files(spec(**allowed))


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"base": "/etc"}, "base"),
        ({"base": "~/model"}, "base"),
        ({"base": "../model"}, "base"),
        ({"base": "./a/b"}, "base"),
        ({"base": "assets/nano"}, "base"),
        ({"base": "model"}, "base"),
        ({"base": "run:../../etc"}, "base"),
        ({"base": "outputs:/etc/passwd", **NONE}, "base"),
        ({"base": "outputs:ours.{direction}.txt", **NONE}, "base"),
        ({"base": "/models/{source}-{target}", **NONE}, "base"),
        ({"base": "models/../{source}", **NONE}, "base"),
        ({"base": "owner/..", **NONE}, "base"),
        ({"base": "Qwen/Qwen2.5-0.5B", "revision": "../../x"}, "revision"),
        ({"corpus": "/etc/passwd"}, "corpus"),
        ({"corpus": "pairs.tsv:de-en"}, "corpus"),
        ({"corpus": "a.de,a.en:de-en"}, "corpus"),
        ({"corpus": "owner/name"}, "corpus"),
        ({"corpus": "hub:assets/everyday"}, "corpus"),
        ({"corpus": "hub:everyday"}, "corpus"),
        ({"test_corpus": "~/secret.tsv"}, "test_corpus"),
        ({"noise": {"kind": "sentence", "translator": "/models/nllb"}}, "noise.translator"),
        ({"noise": {"kind": "sentence", "translator": "base:/models/x"}}, "noise.translator"),
        ({"noise": {"kind": "sentence", "translator": "a/{source}/../b"}}, "noise.translator"),
        ({"noise": {"kind": "word", "dictionary": "de-en.txt"}}, "noise.dictionary"),
        ({"noise": {"kind": "jargon", "terms": "terms.txt"}}, "noise.terms"),
        ({"comet_model": "/models/comet"}, "comet_model"),
        ({"comet_model": "someone/comet"}, "comet_model"),
    ],
)
def test_no_file_may_be_named(asked, field, monkeypatch):
    from mtlab.settings import ASSETS

    monkeypatch.chdir(ASSETS.parent)
    with pytest.raises(InputError) as caught:
        refuse_files(spec(**asked))
    assert caught.value.field == field and caught.value.fix

import dataclasses
import errno

import pytest

from mtlab.commands import FLAGS
from mtlab.errors import InputError, NotAvailable
from mtlab.lab import Lab
from mtlab.runs import files
from mtlab.spec import RunSpec, Training
from mtlab.ui.form import BLANK, FIELDS, PATHS, spec_from_form
from mtlab.ui.uploads import keep_upload

UNTOUCHED = {
    "base": "nano",
    "method": "default",
    "size": "32",
    "train": ["de-en", "en-de"],
    "noise_kind": "none",
    "noise_side": "target",
    "noise_ratio": 1,
    "translator": "latest",
    "dictionary_path": "",
    "dictionary": None,
    "terms_path": "",
    "terms": None,
    "language": "",
    "seed": "0",
    "test": [],
    "corpus": "everyday",
    "upload": None,
    "balance": "balanced",
    "reverse": "",
    "test_corpus": "",
    "test_limit": "",
    "metrics": ["bleu", "chrf", "comet"],
    "comet_model": "",
    "score_base": True,
    "probe_size": "",
    "learning_rate": "",
    "steps": "",
    "batch_size": "",
    "accumulation": "",
    "schedule": "linear",
    "warmup": "",
    "weight_decay": "",
    "precision": "auto",
    "gradient_checkpointing": "",
    "max_length": "",
    "checkpoint_steps": "",
    "lora_rank": "",
    "lora_alpha": "",
    "lora_dropout": "",
    "lora_targets": "",
    "strategy": "beam",
    "beams": "",
    "max_new_tokens": "",
    "temperature": "",
    "top_p": "",
    "token_budget": "",
    "backend": "auto",
    "decoding_precision": "auto",
    "devices": "",
    "sharing": "ddp",
    "template": "",
    "revision": "",
    "name": "",
    "group": "",
}


def test_the_untouched_form_is_the_default_spec(home):
    assert set(UNTOUCHED) == set(FIELDS)
    assert spec_from_form(UNTOUCHED, home) == RunSpec(train=["de-en", "en-de"])
    assert BLANK == UNTOUCHED


def test_every_field_of_a_spec_stands_in_the_form():
    assert set(PATHS.values()) == {path for _, path in FLAGS}


def test_all_means_the_whole_pool(home):
    spec = spec_from_form({**UNTOUCHED, "size": "all", "train": ["de-en"]}, home)
    assert spec.size >= 512


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"train": []}, "train"),
        ({"size": "lots"}, "size"),
        ({"size": "0"}, "size"),
        ({"size": None}, "size"),
        ({"base": ""}, "base"),
        ({"base": None}, "base"),
        ({"seed": -4}, "seed"),
        ({"learning_rate": "7"}, "learning_rate"),
        ({"steps": "some"}, "steps"),
        ({"template": "no slot"}, "template"),
        ({"size": "all", "train": ["cs-en"]}, "cs-en"),
    ],
)
def test_a_bad_field_is_named(home, changes, field):
    with pytest.raises(InputError, match=field):
        spec_from_form({**UNTOUCHED, **changes}, home)


def test_what_a_system_that_is_not_trained_has_no_use_for_does_not_count(home):
    values = {**UNTOUCHED, "test": ["de-en"], "noise_kind": "word", "steps": "5", "size": "3"}
    shows = spec_from_form({**values, "method": "few-shot"}, home)
    assert shows.training == Training(method="few-shot") and shows.size == 3
    assert shows.train == () and not shows.noise.active
    as_it_is = spec_from_form({**values, "method": "none", "size": ""}, home)
    assert as_it_is.training == Training(method="none") and as_it_is.train == ()
    with pytest.raises(InputError, match="test: no test direction is given"):
        spec_from_form({**UNTOUCHED, "method": "few-shot", "size": "3"}, home)


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        ("sentence", "translator", "nano"),
        ("word", "dictionary", "de-en.txt"),
        ("word", "dictionary_path", "de-en.txt"),
        ("jargon", "terms", "terms.txt"),
        ("jargon", "terms_path", "terms.txt"),
        ("wrong-language", "language", "fr"),
    ],
)
def test_an_option_of_noise_counts_for_its_own_kind_alone(home, kind, field, value):
    values = {**UNTOUCHED, field: value}
    option = PATHS[field].removeprefix("noise.")
    assert getattr(spec_from_form({**values, "noise_kind": kind}, home).noise, option) == value
    other = spec_from_form({**values, "noise_kind": "typo"}, home).noise
    assert getattr(other, option) is None


def test_an_uploaded_dictionary_is_kept_under_its_own_name(home, tmp_path):
    path = tmp_path / "de-en.txt"
    path.write_text("Haus house\n", encoding="utf-8")
    values = {**UNTOUCHED, "noise_kind": "word", "dictionary": str(path)}
    kept = keep_upload(values, home)["dictionary"]
    assert kept.startswith(str(home.home)) and kept.endswith("/de-en.txt")
    assert keep_upload({**values, "noise_kind": "typo"}, home)["dictionary"] == str(path)
    path.write_bytes(b"H\xe4user houses\n")
    with pytest.raises(InputError, match="'de-en.txt' is not UTF-8"):
        keep_upload(values, home)


def as_uploaded(tmp_path, data):
    path = tmp_path / "pairs.tsv"
    path.write_bytes(data)
    return {**UNTOUCHED, "upload": str(path)}


def test_an_upload_is_kept_once_under_its_own_name(home, tmp_path):
    text = "de\ten\r\nGrün.\tGreen.\r\nRot.\tRed.\r\n".encode()
    values = as_uploaded(tmp_path, text)
    kept = keep_upload(values, home)["upload"]
    assert kept.startswith(str(home.home)) and kept.endswith("/pairs.tsv")
    assert keep_upload(values, home)["upload"] == kept
    with open(kept, "rb") as file:
        assert file.read() == text
    assert keep_upload(UNTOUCHED, home) == UNTOUCHED


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"de\ten\nSch\xf6n.\tNice.\n", "corpus: line 2 of 'pairs.tsv' is not UTF-8: save"),
        (b"de\ten\nRot.\tRed.\n\n", "corpus: line 3 of 'pairs.tsv' is empty: delete"),
        (b"de\ten\nRot.\n", "corpus: line 2 of 'pairs.tsv' has 1 column where 2 are expected"),
        (b"", "corpus: 'pairs.tsv' is empty: give"),
        (b"de\ten\n" + b"Rot.\tRed.\n" * 100_000, "has 1.0 MB, and 1 MB are allowed: give a"),
    ],
)
def test_an_upload_that_cannot_be_used_is_refused_and_not_kept(home, tmp_path, data, says):
    with pytest.raises(InputError, match=says):
        keep_upload(as_uploaded(tmp_path, data), dataclasses.replace(home, max_upload_mb=1))
    assert not list(home.home.glob("uploads/**/*.tsv"))


def test_an_upload_that_finds_the_disk_full_harms_no_earlier_one(home, tmp_path, monkeypatch):
    first = keep_upload(as_uploaded(tmp_path, b"de\ten\nRot.\tRed.\nBlau.\tBlue.\n"), home)

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    other = as_uploaded(tmp_path, b"de\ten\nRot.\tRed.\nGelb.\tYellow.\n")
    with pytest.raises(NotAvailable, match="uploaded file cannot be kept .*: free disk space"):
        keep_upload(other, home)
    kept = list(home.home.glob("uploads/**/*.tsv"))
    assert [str(path) for path in kept] == [first["upload"]]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"train": ["xx-en"]}, "train"),
        ({"train": ["de-de"]}, "train"),
        ({"train": ["cs-en"]}, "train"),
        ({"test": ["de-ja"]}, "test"),
        ({"size": "-5"}, "size"),
        ({"size": "5000000"}, "size"),
        ({"noise_kind": "word", "noise_ratio": 1.5}, "noise.ratio"),
        ({"base": "no-such-model"}, "base"),
        ({"corpus": "nowhere.tsv"}, "corpus"),
    ],
)
def test_what_the_form_launches_is_refused_like_anywhere_else(home, changes, field):
    lab = Lab(home)
    with pytest.raises(InputError) as caught:
        lab.launch(spec_from_form({**UNTOUCHED, **changes}, home))
    assert caught.value.field == field and caught.value.fix
    assert lab.runs() == []

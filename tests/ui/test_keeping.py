"""What a browser kept of the form is read as strictly as anything from outside."""

import json

import pytest

from mtlab.ui.form import BLANK
from mtlab.ui.launch.keeping import read_kept


def test_what_was_kept_comes_back():
    kept = {"steps": "7", "train": ["fr-en"], "score_base": True, "noise_ratio": 1}
    assert read_kept(json.dumps(kept)) == kept


@pytest.mark.parametrize("text", ["", "null", "[]", "{", '"text"', "[" * 100_000])
def test_what_is_no_form_is_passed_over(text):
    assert read_kept(text) == {}


@pytest.mark.parametrize(
    "name, value",
    [("steps", 7), ("train", "fr-en"), ("train", [1]), ("score_base", "yes"),
     ("noise_ratio", True), ("base", None), ("upload", "/etc/passwd"), ("no_such", "x")],
)  # fmt: skip
def test_a_value_of_another_kind_is_passed_over(name, value):
    assert read_kept(json.dumps({name: value, "size": BLANK["size"]})) == {"size": BLANK["size"]}

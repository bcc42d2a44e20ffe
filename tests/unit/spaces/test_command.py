"""`mtlab deploy` as it is typed: what it shows, and what it refuses before it asks anybody."""

import json

import pytest

from mtlab.cli import main

TOKEN = "hf_" + "aBcD" * 6


def shown(capsys, *words):
    status = main(["deploy", *words])
    out, err = capsys.readouterr()
    assert TOKEN not in out + err and "Traceback" not in err
    return status, out, err


def test_what_would_be_pushed_is_shown(home, capsys, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    status, out, _ = shown(
        capsys, "ann/lab", "--dry-run", "--json", "--private", "--hardware", "t4-small",
        "--preload", "qwen2.5-0.5b", "--variable", "MTLAB_ALLOW=bob", "--secret", "HF_TOKEN",
    )  # fmt: skip
    assert status == 0
    assert "ann/lab  t4-small, private" in out and "launching: ann, bob" in out
    assert "variable  MTLAB_ALLOW=bob" in out and "secret    HF_TOKEN\n" in out
    said = json.loads(out.splitlines()[-1])
    assert said["secrets"] == ["HF_TOKEN"] and said["address"] is None and said["private"]
    assert {"app.py", "assets/nano/config.json"} < {file["path"] for file in said["files"]}


def test_everyone_who_signs_in_may_be_let_in(home, capsys):
    _, out, _ = shown(capsys, "ann/lab", "--dry-run", "--variable", "MTLAB_ALLOW=*")
    assert "launching: everyone who signs in" in out
    _, out, _ = shown(capsys, "ann/lab", "--dry-run", "--update")
    assert "launching" not in out and "as visible as it is" in out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["ann"], "space: 'ann' names no Space: write OWNER/NAME."),
        (["ann/x", "--hardware", "gpu"], "hardware: Spaces has no hardware 'gpu'"),
        (["ann/x", "--preload", "nano"], "--preload: 'nano' is not on the hub"),
        (["ann/x", "--preload", "gpt9"], "base: there is no base model 'gpt9'"),
        (["ann/x", "--variable", f"A={TOKEN}"], "--variable: 'A' looks like a secret"),
        (["ann/x", "--secret", "NOT_SET_HERE"], "--secret: 'NOT_SET_HERE' has no value"),
        (["ann/x", "--output", "."], "output: '.' is not an empty folder"),
        (["ann/x", "--output", "d", "--dry-run"], "not allowed with argument --output"),
        ([], "required: OWNER/NAME"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(home, capsys, words, says):
    status, _, err = shown(capsys, *words)
    assert status == 2 and says in err and err.count("\n") == 1

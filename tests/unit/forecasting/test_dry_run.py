"""`mtlab run --dry-run`: what a run would take, said without launching it."""

import json

from mtlab.cli import main
from mtlab.runs.store import RunStore


def test_a_dry_run_says_what_it_would_take_and_launches_nothing(home, capsys):
    command = ["run", "--size", "8", "--train", "de-en", "--metric", "bleu", "--dry-run"]
    assert main([*command, "--json"]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0].startswith("mtlab run --base nano --size 8 --train de-en")
    assert shown[1].startswith("About ") and "training" in shown[1]
    assert shown[2].startswith("Fits: about ") and shown[3] == "nothing launched"
    told = json.loads(shown[-1])
    assert told["dry_run"] is True and told["memory"]["fits"] is True
    forecast = told["forecast"]
    assert forecast["total"] > 0 and forecast["low"] < forecast["total"] < forecast["high"]
    assert set(forecast["seconds"]) >= {"load", "train", "decode", "score"}
    assert forecast["memory_mb"] > 400
    assert RunStore(home).list() == []


def test_what_does_not_fit_is_said_with_what_would(home, capsys, monkeypatch):
    from mtlab.runs import preview

    monkeypatch.setattr(preview, "_available_lately", lambda moment: (900_000_000, "main memory"))
    assert main(["run", "--size", "64", "--train", "de-en", "--dry-run"]) == 0
    said = capsys.readouterr().out.splitlines()[2]
    assert said.startswith("Does not fit: about ") and " GiB needed, 0.8 GiB free" in said
    assert " fits" in said.rpartition(";")[2], said


def test_what_is_wrong_is_said_as_ever(home, capsys):
    assert main(["run", "--train", "de-xx", "--dry-run"]) == 2
    assert "xx" in capsys.readouterr().err

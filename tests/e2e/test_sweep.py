"""A sweep from the command line with real runs on a tiny model; cycles, reversed pairs, Ctrl-C."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from mtlab.experiments import PRESETS

SWEEP = """
name: tiny
spec:
  train: [de-en]
  size: 8
  training: {steps: 2}
  test_limit: 4
  probe_size: 0
  metrics: [bleu, chrf]
  decoding: {strategy: greedy, max_new_tokens: 16}
"""
SIZES = SWEEP + "axes: {size: [4, 8]}\n"
CYCLES = """
variations:
  - {label: one, reverse: 0.5}
  - {label: two, base: "run:@one", seed: 100}
  - {label: three, base: "run:@two", seed: 200}
"""


@pytest.fixture
def written(tmp_path):
    def write(text):
        (tmp_path / "sweep.yaml").write_text(text, encoding="utf-8")
        return "sweep.yaml"

    return write


def test_the_same_sweep_twice_launches_its_runs_once(mtlab, tiny_model, written, tmp_path):
    words = ("sweep", written(SIZES), "--base", str(tiny_model), "--json")
    status, planned, text = mtlab(*words, "--dry-run")
    assert status == 0 and planned["states"] == {"planned": 2}, text
    assert not list((tmp_path / "home").glob("runs/*"))

    status, first, text = mtlab(*words)
    assert status == 0, text
    assert first["states"] == {"finished": 2} and first["failed"] == []
    assert [run["size"] for run in first["runs"]] == [4, 8]
    assert "BLEU, mean over seeds" in text and "chrF" in text
    cells = {(row["system"], row["size"], row["metric"]) for row in first["means"]}
    assert {("run", 4, "bleu"), ("run", 8, "chrf"), ("base", 4, "bleu")} <= cells
    assert all(row["seeds"] == 1 and row["n"] == 4 for row in first["means"])

    status, again, text = mtlab(*words)
    assert status == 0 and all(run["skipped"] for run in again["runs"]), text
    assert [run["id"] for run in again["runs"]] == [run["id"] for run in first["runs"]]
    assert again["means"] == first["means"]
    assert len(list((tmp_path / "home").glob("runs/2*"))) == 2
    assert "mtlab report --group tiny -o report.html" in text

    # Under another name they are the same runs, and a report by that name finds them.
    status, other, text = mtlab(*words, "--group", "other")
    assert status == 0 and "mtlab report --group other -o report.html" in text
    assert len(list((tmp_path / "home").glob("runs/2*"))) == 2
    status, report, text = mtlab("report", "--group", "other", "-o", "report.csv", "--json")
    assert status == 0 and sorted(report["runs"]) == sorted(run["id"] for run in first["runs"])
    status, listed, text = mtlab("sweep", "--list", "--json")
    assert [(one["sweep"], one["done"], one["total"]) for one in listed["here"]] == [
        ("other", 2, 2), ("tiny", 2, 2),
    ]  # fmt: skip
    assert "2 of 2 runs" in text


def test_a_chain_of_runs_each_going_on_from_the_one_before(mtlab, tiny_model, written, tmp_path):
    text = SWEEP.replace("spec:", f"spec:\n  base: {tiny_model}") + CYCLES
    words = ("--method", "lora", "--learning-rate", "0.01", "--json")
    status, data, text = mtlab("sweep", written(text), *words)
    assert status == 0, text
    assert data["states"] == {"finished": 3}
    folders = [tmp_path / "home" / "runs" / run["id"] for run in data["runs"]]
    facts = [json.loads((folder / "provenance.json").read_text()) for folder in folders]
    assert [one["base"]["name"] for one in facts[1:]] == [f"run:{f.name}" for f in folders[:2]]
    assert len({one["base"]["digest"] for one in facts}) == 3
    # What the next one calls its base is what the one before it made.
    for before, after in zip(folders, folders[1:], strict=False):
        made, base = (
            [json.loads(line)[key] for line in (folder / "translations" / "de-en.jsonl").open()]
            for folder, key in ((before, "hypothesis"), (after, "base"))
        )
        assert made == base
    pairs = [json.loads(line) for line in (folders[0] / "train.jsonl").open()]
    assert sum(pair.get("reversed", False) for pair in pairs) == 4
    assert facts[0]["reversed_pairs"] == 4 and facts[1]["reversed_pairs"] == 0
    assert {row["cycle"] for row in data["means"]} == {1, 2, 3}


def test_a_run_that_fails_is_named_and_the_others_are_made(mtlab, tiny_model, written):
    text = SWEEP + f"axes: {{base: [owner/model, '{tiny_model}']}}\n"
    status, data, said = mtlab("sweep", written(text), "--json")
    assert status == 1, said
    assert [run["state"] for run in data["runs"]] == ["failed", "finished"]
    assert data["failed"] and "owner/model" in data["failed"][0]


def test_ctrl_c_stops_the_run_and_keeps_it(tiny_model, written, mtlab, tmp_path):
    long = written(SIZES.replace("steps: 2", "steps: 2000"))
    command = [sys.executable, "-m", "mtlab", "sweep", long, "--base", str(tiny_model)]
    environment = {**os.environ, "MTLAB_HOME": str(tmp_path / "home")}
    sweep = subprocess.Popen(
        command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL
    )
    for _ in range(600):
        events = list((tmp_path / "home").glob("runs/2*/events.jsonl"))
        if events and '"step"' in events[0].read_text():
            break
        time.sleep(0.1)
    sweep.send_signal(signal.SIGINT)
    _, said = sweep.communicate(timeout=120)
    assert sweep.returncode == 130 and b"Traceback" not in said, said
    status, listed, _ = mtlab("runs", "list", "--json")
    assert [row["state"] for row in listed["runs"]] == ["stopped"]
    _, planned, _ = mtlab("sweep", long, "--base", str(tiny_model), "--dry-run", "--json")
    assert [run["state"] for run in planned["runs"]] == ["stopped", "planned"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "no sweep is named"),
        (("paper/sise",), "did you mean 'paper/size'"),
        (("nowhere.yaml",), "nowhere.yaml"),
        (("paper/size", "--sizes", "many"), "--sizes"),
        (("paper/size", "--sizes", "99999"), "99,999 pairs are asked for"),
        (("paper/size", "--seeds", "0"), "--seeds"),
        (("paper/size", "--seeds", "9999"), "seeds"),
        (("paper/size", "--limit", "x"), "--limit"),
        (("paper/size", "--train", "de-de"), "into itself"),
        (("paper/size", "--train", "cs-en"), "cs-en"),
        (("paper/size", "--base", "nanno"), "nanno"),
        (("paper/size", "--test-limit", "0"), "test_limit"),
        (("paper/noise", "--noise", "word"), "varies it"),
        (("paper/size", "--seed", "3"), "--seed"),
    ],
)
def test_bad_input_gets_one_sentence_and_status_2(mtlab, words, says, tmp_path):
    status, _, text = mtlab("sweep", *words)
    assert status == 2 and says in text, text
    assert len(text.strip().splitlines()) == 1, text
    assert not list((tmp_path / "home").glob("runs/*"))


def test_the_list_names_every_preset(mtlab):
    status, data, text = mtlab("sweep", "--list", "--json")
    assert status == 0 and {one["sweep"] for one in data["sweeps"]} == set(PRESETS)
    assert all(one["sweep"] in text for one in data["sweeps"])

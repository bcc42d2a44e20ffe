"""The contest of training: what its contestants are told, and how it is held; rivals are fakes."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from mtlab.bench import environments, train
from mtlab.bench.training_lap import Laps
from mtlab.errors import InputError, NotAvailable
from mtlab.settings import Settings

FAKE = """
import json, sys
task = None
for line in sys.stdin:
    message = json.loads(line)
    if message["command"] == "prepare":
        task = message["task"]
        answer = {"trl": "0"}
        if task["options"].get("padding_free"):
            answer = {"problem": "ValueError: no flash attention here"}
    else:
        answer = {"seconds": 2.0, "cpu": 4.0, "work": 10 * task["batch"], "loss": 3.0}
    print(json.dumps(answer), flush=True)
"""


@pytest.fixture
def small_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mtlab.bench.training_texts.TEXTS", 24)
    monkeypatch.setattr("mtlab.bench.training_texts.HELD_OUT", 3)
    monkeypatch.setattr(train, "BATCH", 4)


def test_what_all_are_told(home: Settings, tmp_path: Path, small_texts: None) -> None:
    task = train.write_task(tmp_path, home, model="nano", method="full", steps=3)
    texts = json.loads(Path(task["texts"]).read_text(encoding="utf-8"))
    assert len(texts["train"]) == 24 and len(texts["held_out"]) == 3
    for ids, labels in texts["train"]:
        assert len(ids) == len(labels) <= task["max_length"]
        assert labels[0] == -100 and labels[-1] == ids[-1] == 2, "a prompt, and an end to learn"
    lengths = [len(ids) for ids, _ in texts["train"]]
    assert max(lengths) > 2 * min(lengths), "some are long, some short"
    again = train.write_task(tmp_path, home, model="nano", method="full", steps=3)
    assert json.loads(Path(again["texts"]).read_text(encoding="utf-8")) == texts


def test_a_lap_of_the_lab(home: Settings, tmp_path: Path, small_texts: None) -> None:
    task = train.write_task(tmp_path, home, model="nano", method="lora", steps=3)
    laps = Laps(home)
    assert laps.prepare(task).keys() >= {"mtlab", "torch", "transformers"}
    lap = laps.lap()
    targets = [sum(label != -100 for label in labels) for _, labels in json.loads(
        Path(task["texts"]).read_text(encoding="utf-8"))["train"]]  # fmt: skip
    assert 0 < lap["work"] <= sum(targets) and lap["seconds"] > 0 and lap["cpu"] > 0
    assert 2.0 < lap["loss"] < 5.0


def test_a_contest_with_a_rival_that_cannot(
    home: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, small_texts: None
) -> None:
    fake = tmp_path / "fake.py"
    fake.write_text(FAKE)

    def with_fake(name: str, how: str, task: dict[str, Any]) -> train.Trainer:
        return train.Trainer(name, how, task, lambda: [sys.executable, str(fake)], home)

    monkeypatch.setattr(train, "lab", lambda task, settings: with_fake("mtlab", "", task))
    monkeypatch.setattr(
        train,
        "rival",
        lambda name, task, settings, tell: with_fake(name, "", train.told(name, task)),
    )
    standings = train.contest(
        ["trl-packing", "trl-padding-free"], home, model="nano", method="full", steps=3, rounds=2
    )
    by_name = {one.name: one for one in standings}
    assert list(by_name) == ["trl", "trl-packing", "trl-padding-free", "mtlab"]
    assert by_name["trl-padding-free"].problem is not None
    assert "no flash attention here" in by_name["trl-padding-free"].problem
    assert by_name["mtlab"].rates == (20.0, 20.0) and by_name["mtlab"].agreement == 0.0
    assert by_name["trl-packing"].ratio < 1.0, "fewer rows make a step where they are packed"
    assert by_name["trl"].quality == 3.0


@pytest.mark.parametrize(
    ("against", "steps", "message"),
    [
        (["vllm"], 3, "against: 'vllm' does not train: choose from trl, "),
        ([], 1, "steps: one step cannot be timed: give 2 or more"),
    ],
)
def test_what_is_refused(home: Settings, against: list[str], steps: int, message: str) -> None:
    with pytest.raises(InputError) as refused:
        train.contest(against, home, model="nano", method="full", steps=steps, rounds=1)
    assert str(refused.value).startswith(message)


def test_an_environment_that_cannot_be_built_is_said_in_a_sentence(
    home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputError, match="against: no environment is known for 'nobody'"):
        environments.ensure("nobody", home)
    folder = environments.overlay("trl", home).folder
    folder.mkdir(parents=True)
    (folder / "thesis.tex").touch()
    with pytest.raises(NotAvailable) as refused:
        environments.ensure("trl", home)
    assert "something else lies): let MTLAB_HOME name a new" in str(refused.value)
    assert "\n" not in str(refused.value)

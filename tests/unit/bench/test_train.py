"""The contest of training: what its contestants are told, and how it is held; rivals are fakes."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mtlab.bench import environments, train, training_task
from mtlab.bench.training_lap import Laps
from mtlab.defaults import NANO
from mtlab.errors import InputError, NotAvailable
from mtlab.settings import ASSETS, Settings
from mtlab.training import ExampleOrder

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
        answer |= {"losses": [], "peak": 2**30}
    print(json.dumps(answer), flush=True)
"""


@pytest.fixture
def small_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mtlab.bench.training_texts.TEXTS", 24)
    monkeypatch.setattr("mtlab.bench.training_texts.HELD_OUT", 3)


def told(home: Settings, place: Path, model: str, method: training_task.Method) -> dict[str, Any]:
    course = training_task.course_of(model, method, 3, home, place)
    return replace(course, batch=4).write(place)


def test_what_all_are_told(home: Settings, tmp_path: Path, small_texts: None) -> None:
    task = told(home, tmp_path, "nano", "full")
    texts = json.loads(Path(task["texts"]).read_text(encoding="utf-8"))
    assert len(texts["train"]) == 24 and len(texts["held_out"]) == 3
    for ids, labels in texts["train"]:
        assert len(ids) == len(labels) <= task["max_length"]
        assert labels[0] == -100 and labels[-1] == ids[-1] == 2, "a prompt, and an end to learn"
    lengths = [len(ids) for ids, _ in texts["train"]]
    assert max(lengths) > 2 * min(lengths), "some are long, some short"
    again = told(home, tmp_path, "nano", "full")
    assert json.loads(Path(again["texts"]).read_text(encoding="utf-8")) == texts


def test_a_lap_of_the_lab(home: Settings, tmp_path: Path, small_texts: None) -> None:
    task = told(home, tmp_path, "nano", "lora") | {"untimed": 2}
    laps = Laps(home)
    assert laps.prepare(task).keys() >= {"mtlab", "torch", "transformers"}
    lap = laps.lap()
    texts = json.loads(Path(task["texts"]).read_text(encoding="utf-8"))["train"]
    order = ExampleOrder([len(ids) for ids, _ in texts], batch_size=4, steps=3, seed=0)
    third = [label for place in order.step(3) for label in texts[place][1]]
    assert lap["work"] == sum(label != -100 for label in third), "two steps are not timed"
    assert lap["seconds"] > 0 and lap["cpu"] > 0 and lap["peak"] is None
    assert 2.0 < lap["loss"] < 5.0


def test_a_model_in_a_folder_is_trained_as_it_is(
    home: Settings, tmp_path: Path, small_texts: None
) -> None:
    folder = tmp_path / "mine"
    shutil.copytree(ASSETS / "nano", folder)
    course = training_task.course_of(str(folder), "lora", 3, home, tmp_path)
    assert course.model == str(folder) and course.learning_rate == NANO.learning_rate["lora"]
    assert course.options == {"gradient_checkpointing": False}, "a small model keeps activations"
    same = training_task.course_of("nano", "lora", 3, home, tmp_path)
    assert course.train == same.train, "its own tokenizer cuts the texts"


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("nobody", "model: there is no base model 'nobody': name nano, 100m"),
        ("outputs:mine.txt", "model: 'outputs:mine.txt' is no model that all can load"),
    ],
)
def test_a_model_that_cannot_be_trained_anew(
    home: Settings, tmp_path: Path, model: str, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        training_task.course_of(model, "full", 3, home, tmp_path)


def test_a_rival_is_told_the_length_unless_it_sets_its_own(tmp_path: Path) -> None:
    course = training_task.Course("nano", "full", [([1, 2], [-100, 2])] * 4, [], 3, 1e-4, length=8)
    task = course.write(tmp_path)
    packing = train.told(train.RIVALS["trl-packing"], task)
    assert packing["options"]["max_length"] == 8 and packing["batch"] == 4, "four texts a row"
    assert train.told(train.RIVALS["trl-padding-free"], task)["options"]["max_length"] is None


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
        lambda name, how, task, settings, python: with_fake(name, "", train.told(how, task)),
    )
    standings = train.contest(
        ["trl-packing", "trl-padding-free"], home, model="nano", method="full", steps=3, rounds=2
    )
    by_name = {one.name: one for one in standings}
    assert list(by_name) == ["trl", "trl-packing", "trl-padding-free", "mtlab"]
    assert by_name["trl-padding-free"].problem is not None
    assert "no flash attention here" in by_name["trl-padding-free"].problem
    assert by_name["mtlab"].rates == (80.0, 80.0) and by_name["mtlab"].agreement == 0.0
    assert by_name["trl-packing"].ratio < 1.0, "fewer rows make a step where they are packed"
    assert by_name["trl"].quality == 3.0 and by_name["trl"].peak_bytes == 2**30


@pytest.mark.parametrize(
    ("against", "steps", "message"),
    [
        (["vllm"], 3, "against: 'vllm' does not train: choose from trl, "),
        ([], 1, "steps: of 1 steps none is left to be timed after the first 1: give 2 or more"),
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

"""Runs that two processes share, over gloo on the CPU: what one process does, and who may die."""

from __future__ import annotations

import json
import os

import psutil
import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

from mtlab import Lab, RunSpec
from mtlab.cli import main
from mtlab.errors import InputError
from mtlab.runs import devices as devices_module
from mtlab.runs.status import MOST_REQUEUES
from mtlab.settings import Settings
from tests.real_runs import alive, notes, until

PAUSE = """
import time
from mtlab.runs import reporting
emit = reporting.Reporter.emit
def paused(self, kind, **data):
    emit(self, kind, **data)
    while kind == "step" and data["step"] == 6 and not (self.folder / "go").exists():
        time.sleep(0.02)
reporting.Reporter.emit = paused
"""


def finished(run):
    status = run.wait()
    assert status.state == "finished", (status.sentence, (run.folder / "job.log").read_text())
    return run


def losses(run):
    return {event["step"]: event["loss"] for event in run.events() if event.kind == "step"}


def translations(run):
    return {
        path.name: [json.loads(line)["hypothesis"] for line in path.read_text().splitlines()]
        for path in sorted((run.folder / "translations").glob("*.jsonl"))
    }


def adapter(run):
    return load_file(run.folder / "adapter" / "adapter_model.safetensors")


def mates(run):
    """The processes that share a run's work with its job."""
    pid = run.status().pid
    if pid is None or not psutil.pid_exists(pid):
        return []
    found = psutil.Process(pid).children()
    return [one for one in found if "mtlab.runs.mate" in one.cmdline()]


def alike(one, other):
    assert one.keys() == other.keys()
    for name, value in one.items():
        torch.testing.assert_close(value, other[name], rtol=0, atol=1e-4, msg=name)


@pytest.fixture(scope="module")
def alone(tiny_model, tmp_path_factory):
    """The run that all others are compared with: one process, left alone."""
    home = tmp_path_factory.mktemp("alone")
    lab = Lab(Settings.from_environment({**os.environ, "MTLAB_HOME": str(home)}))
    run = finished(lab.launch(made_spec(tiny_model)))
    yield run
    lab.close()


def made_spec(tiny_model, **changes):
    """Eight steps on eight sentences, saved at the fourth; several batches to translate."""
    return RunSpec(
        **{
            "base": str(tiny_model), "size": 8, "train": ("de-en", "en-de"), "test_limit": 6,
            "metrics": ("bleu",), "probe_size": 2,
            "training": {
                "method": "lora", "steps": 8, "batch_size": 4, "checkpoint_steps": 4,
                "max_length": 256, "precision": "fp32",
            },
            "decoding": {"beams": 2, "max_new_tokens": 12, "token_budget": 256},
            **changes,
        }
    )  # fmt: skip


def test_two_processes_do_what_one_does(lab, tiny_model, alone):
    run = finished(lab.launch(made_spec(tiny_model, devices=2)))
    found = losses(run)
    assert list(found) == list(range(1, 9)) and found == pytest.approx(losses(alone), abs=1e-4)
    alike(adapter(run), adapter(alone))
    assert translations(run) == translations(alone)
    assert run.base_scores() == alone.base_scores()
    assert not list(run.folder.glob("checkpoint-*")) and not list(run.folder.glob(".*"))
    facts = json.loads((run.folder / "provenance.json").read_text())
    assert facts["devices"] == 2 and "--devices 2" in facts["command"]
    base = AutoModelForCausalLM.from_pretrained(tiny_model, dtype=torch.float32)
    PeftModel.from_pretrained(base, run.folder / "adapter")


def test_one_of_two_is_killed_while_they_train(lab, tiny_model, alone, jobs_do_first):
    jobs_do_first(PAUSE)
    run = lab.launch(made_spec(tiny_model, devices=2))
    until(lambda: len(losses(run)) == 6)
    first = run.status()
    [mate] = mates(run)
    mate.kill()
    (run.folder / "go").touch()
    finished(run)
    status = run.status()
    assert status.attempts == 2 and status.requeues == MOST_REQUEUES - 1, "it went on by itself"
    assert not alive(first) and not mate.is_running()
    [error] = [event for event in run.events() if event.kind == "error"]
    assert error["what"] == "process 2 of the 2 that shared the work ended"
    assert error["why"].startswith("it was killed")
    assert [step["step"] for step in run.events() if step.kind == "step"] == [
        *range(1, 7),
        *range(5, 9),
    ]
    assert "training goes on from checkpoint-4" in notes(run)
    alike(adapter(run), adapter(alone))
    assert translations(run) == translations(alone)


def test_more_than_there_are(lab, tiny_model, monkeypatch, capsys):
    monkeypatch.setattr(devices_module, "devices", lambda: ("cuda:0",))
    says = "devices: runs may hold 1 GPU here (cuda:0), not 2: give 1 or fewer."
    with pytest.raises(InputError) as error:
        lab.launch(made_spec(tiny_model, devices=2))
    assert error.value.sentence() == says and lab.runs() == []
    words = ["--base", str(tiny_model), "--size", "8", "--train", "de-en", "--devices", "2"]
    assert main(["run", *words]) == 2
    assert says in capsys.readouterr().err and lab.runs() == []

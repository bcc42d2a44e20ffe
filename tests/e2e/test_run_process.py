"""Real runs through the real process: they finish, stop, die and go on, whoever watches."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.real_runs import PATIENCE, alive, notes, trained_steps, until

ROOT = Path(__file__).resolve().parents[2]


def test_a_run_finishes_and_the_next_need_not_score_the_base_again(lab, spec, tiny_model):
    seen = []
    run = lab.launch(spec(noise={"kind": "word", "side": "target"}))
    status = run.wait(PATIENCE, on_event=seen.append)
    assert status.state == "finished", status.sentence + run.log_tail()
    assert status.progress == 1

    phases = ["prepare", "load", "base", "train", "decode", "score"]
    assert [event["phase"] for event in seen if event.kind == "phase"] == phases
    assert list(status.seconds) == phases
    assert trained_steps(run) == list(range(1, 9))
    probes = [event for event in seen if event.kind == "probe"]
    assert probes[0]["step"] == 0 and probes[-1]["step"] == 8
    assert probes[0]["n"] == 4 and "version:" in probes[0]["signature"]
    samples = [event for event in seen if event.kind == "sample" and event["step"] == 8]
    assert len(samples) == 3 and samples[0]["source"]
    assert seen[-1].kind == "end" and seen[-1]["state"] == "finished"

    for systems in (run.scores(), run.base_scores()):
        assert set(systems) == {"de-en", "en-de"}
        for scores in systems.values():
            assert "version:" in scores["bleu"]["signature"] and scores["chrf"]["n"] == 3
            assert 0 <= scores["failures"]["off-target"] <= 1
            failed = scores["bleu"]["gated"]["failed"]
            assert sum(scores["stacked"].values()) == pytest.approx(failed / 3)
            assert sum(scores["languages"].values()) == pytest.approx(
                scores["failures"]["off-target"]
            )
            assert scores["bleu"]["gated"]["value"] == scores["bleu"]["value"]
    frame = run.translations("de-en")
    for side in ("", "base_"):
        wrong = ["off-target" in names for names in frame[f"{side}failures"]]
        assert [code is not None for code in frame[f"{side}language"]] == wrong
    assert len(frame) == 3 and frame["base"].notna().all() and frame["failures"].notna().all()

    rows = [json.loads(line) for line in (run.folder / "train.jsonl").read_text().splitlines()]
    assert len(rows) == 8 and any(
        row.get("clean_target", row["target"]) != row["target"] for row in rows
    )
    provenance = json.loads((run.folder / "provenance.json").read_text())
    assert provenance["command"].startswith("mtlab run")
    assert provenance["noisy_pairs"] == sum(bool(row["touched"]) for row in rows) >= 6
    assert provenance["versions"]["torch"] and provenance["base_from_cache"] == []
    assert set(provenance["digests"]["train"]) == {"de-en", "en-de"}
    told = provenance["forecast"]
    assert list(told["seconds"]) == phases and "a rough guess" in told["told_from"]
    assert told["memory_mb"] == pytest.approx(provenance["peak_memory_mb"], rel=0.3)
    assert list(provenance["phases"]) == phases
    assert {name: one["answers"] for name, one in provenance["answers"]["base"].items()} == {
        "de-en": 3,
        "en-de": 3,
    }
    assert not list(run.folder.glob("checkpoint-*"))

    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    base = AutoModelForCausalLM.from_pretrained(tiny_model)
    assert PeftModel.from_pretrained(base, run.folder / "adapter").peft_config

    second = lab.launch(spec(seed=1))
    assert second.wait(PATIENCE).state == "finished", second.log_tail()
    provenance = json.loads((second.folder / "provenance.json").read_text())
    assert provenance["base_from_cache"] == ["de-en", "en-de"]
    assert "base" not in provenance["forecast"]["seconds"]  # it knew
    assert run.id in provenance["forecast"]["told_from"]
    assert second.base_scores() == run.base_scores()
    assert second.summary()["state"] == "finished"
    answers = second.translate(["Das Haus ist rot."], "de-en")
    assert len(answers) == 1


def test_stopped_in_training_it_keeps_its_model_and_goes_on(lab, spec):
    run = lab.launch(spec(training={"steps": 900, "checkpoint_steps": 200}, score_base=False))
    until(lambda: len(trained_steps(run)) > 3)
    running = run.status()
    run.stop()
    status = run.wait(PATIENCE)
    assert status.state == "stopped", status.sentence + run.log_tail()
    assert not alive(running)
    assert (run.folder / "adapter" / "adapter_model.safetensors").exists()
    assert len(run.translate(["Das Haus ist rot."], "de-en")) == 1
    stopped_at = trained_steps(run)[-1]
    assert stopped_at < 900 and run.scores() == {}

    run.resume()
    until(lambda: trained_steps(run)[-1] > stopped_at)
    assert trained_steps(run) == list(range(1, len(trained_steps(run)) + 1)), "no step twice"
    run.stop(keep=False)
    assert run.wait(PATIENCE).state == "stopped"
    assert not run.folder.exists() and lab.runs() == []


def test_killed_in_training_it_goes_on_from_its_checkpoint_by_itself(lab, spec):
    run = lab.launch(spec(training={"steps": 60, "checkpoint_steps": 10}, score_base=False))
    until(lambda: len(trained_steps(run)) > 12)
    os.killpg(run.status().pid, signal.SIGKILL)
    status = run.wait(PATIENCE)
    assert status.state == "finished", status.sentence + run.log_tail()
    said = notes(run)
    assert said[0] == "interrupted; goes on by itself (1 of 2)"
    assert said[1].startswith("training goes on from checkpoint-")
    [error] = [event for event in run.events() if event.kind == "error"]
    assert "in the phase 'train'" in error["what"] and "killed" in error["why"]
    assert trained_steps(run)[-1] == 60 and status.attempts == 2
    assert set(run.scores()) == {"de-en", "en-de"}


def test_killed_before_a_checkpoint_it_failed_and_can_be_run_again(lab, spec):
    run = lab.launch(spec(score_base=False))
    until(lambda: run.status().phase == "load")
    os.killpg(run.status().pid, signal.SIGKILL)
    assert run.wait(PATIENCE).state == "failed"
    run.resume()
    assert run.wait(PATIENCE).state == "finished", run.log_tail()


LAUNCH_AND_LEAVE = """
import sys, time
from mtlab import Lab, RunSpec
run = Lab().launch(RunSpec.from_yaml(sys.argv[1]))
while run.status().pid is None:
    time.sleep(0.05)
print(run.id, flush=True)
"""


def test_it_goes_on_when_its_launcher_is_gone(lab, spec, home, tmp_path):
    path = tmp_path / "spec.yaml"
    path.write_text(spec(score_base=False).to_yaml())
    launcher = subprocess.run(
        [sys.executable, "-c", LAUNCH_AND_LEAVE, str(path)],
        env={**os.environ, "MTLAB_HOME": str(home.home), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    run = lab.run(launcher.stdout.strip())
    assert run.status().state == "running"
    assert run.wait(PATIENCE).state == "finished", run.log_tail()
    assert run.status().attempts == 1


def test_a_loss_that_is_no_number_fails_with_a_sentence(lab, spec, tiny_model, tmp_path):
    import torch
    from safetensors.torch import load_file, save_file

    broken = tmp_path / "broken"
    shutil.copytree(tiny_model, broken)
    weights = load_file(broken / "model.safetensors")
    weights["model.norm.weight"] = torch.full_like(weights["model.norm.weight"], float("inf"))
    save_file(weights, broken / "model.safetensors", metadata={"format": "pt"})
    run = lab.launch(spec(base=str(broken), score_base=False, probe_size=0))
    status = run.wait(PATIENCE)
    assert status.state == "failed" and "the loss is no longer a number" in status.sentence
    assert [event.kind for event in run.events()][-2:] == ["error", "end"]
    assert run.summary()["error"]["fix"]

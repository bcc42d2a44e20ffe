"""COMET inside a run: the worker, its environment and a real checkpoint, from launch to scores."""

import json


def test_a_run_is_scored_by_a_real_comet_checkpoint(
    mtlab, tiny_model, tiny_comet, comet_settings, tmp_path
):
    status, run, text = mtlab(
        "run", "--base", str(tiny_model), "--size", "4", "--train", "de-en", "--test", "de-en",
        "--test", "en-de", "--steps", "2", "--test-limit", "5", "--probe-size", "0",
        "--strategy", "greedy", "--max-new-tokens", "24", "--metric", "comet",
        "--comet-model", str(tiny_comet.regression), "--json",
        MTLAB_COMET_ENV=str(comet_settings.comet_env),
    )  # fmt: skip
    assert status == 0, text
    for scores in (*run["scores"].values(), *run["base"].values()):
        comet = scores["comet"]
        assert comet["n"] == 5
        assert comet["low"] <= comet["value"] <= comet["high"]
        assert comet["signature"].startswith("model:regression|revision:sha256-")
        assert "precision:fp32" in comet["signature"]
    folder = tmp_path / "home" / "runs" / run["id"]
    assert json.loads((folder / "scores.json").read_text())["scores"] == run["scores"]


def test_a_checkpoint_that_is_not_there_is_said_and_nothing_stands_in(mtlab, tiny_model):
    status, run, text = mtlab(
        "run", "--base", str(tiny_model), "--size", "4", "--train", "de-en", "--steps", "2",
        "--test-limit", "3", "--probe-size", "0", "--strategy", "greedy",
        "--max-new-tokens", "24", "--json",
    )  # fmt: skip
    assert status == 0, text
    comet = run["scores"]["de-en"]["comet"]
    assert comet["available"] is False
    assert comet["why"] and comet["fix"]
    assert "value" not in comet
    assert run["scores"]["de-en"]["bleu"]["n"] == 3

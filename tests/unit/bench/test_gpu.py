"""The benchmark of a GPU, tried on the CPU: its sections, its rivals, its clock.

The lab trains and decodes in truth, on a tiny model, in this process; TRL's part is a fake's.
"""

from __future__ import annotations

import json
import stat
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.gpu import __main__ as gpu
from benchmarks.gpu import models, paper, training
from benchmarks.gpu.bench import DRY, FULL
from mtlab.bench.contest import Lap
from mtlab.bench.training_lap import Laps
from mtlab.forecasting.machine import Machine
from mtlab.settings import Settings

FAKE = """#!{python}
import json, sys
for line in sys.stdin:
    message = json.loads(line)
    if message["command"] == "prepare":
        task = message["task"]
        answer = {{"trl": "0"}}
        if task["options"].get("padding_free"):
            answer = {{"problem": "ImportError: no flash attention here"}}
    else:
        answer = {{"seconds": 2.0, "cpu": 2.0, "work": 100, "peak": None}}
        answer |= {{"loss": 9.0, "losses": [9.5]}}
    print(json.dumps(answer), flush=True)
"""


class Near:
    """The lab as a contestant in this process, so that nothing is imported anew."""

    how = "its defaults"

    name = "mtlab"

    def __init__(self, task: dict[str, Any], settings: Settings) -> None:
        self.task, self.laps = task, Laps(settings)

    def prepare(self) -> dict[str, str]:
        return self.laps.prepare(self.task)

    def lap(self) -> Lap:
        done = self.laps.lap()
        made = (done["loss"], *done["losses"])
        return Lap(done["seconds"], done["work"], made, done["cpu"], done["peak"])

    def close(self) -> None:
        pass


@pytest.fixture
def near(home: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "lab", Near)
    monkeypatch.setattr(paper, "calibrate", lambda settings: Machine())


def run(output: Path, *words: object) -> tuple[int, dict[str, Any]]:
    common = ["--dry-run", "--corpus", "everyday", "--output", str(output)]
    status = gpu.main([*common, *map(str, words)])
    return status, json.loads(output.read_text(encoding="utf-8"))


def test_a_dry_run_has_every_figure(
    near: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trl = tmp_path / "python"
    trl.write_text(FAKE.format(python=sys.executable), encoding="utf-8")
    trl.chmod(trl.stat().st_mode | stat.S_IXUSR)
    status, figures = run(tmp_path / "gpu.json", "--trl-python", trl)
    assert status == 0 and figures["dry_run"] and figures["minutes"] > 0
    assert figures["rates"]["tflops"] > 0 and figures["rates"]["gbytes"] > 0
    for section, names in (
        ("full", {"mtlab", "trl", "trl-no-checkpointing", "trl-fp32"}),
        ("lora", {"mtlab", "trl", "trl-no-checkpointing"}),
        ("pairs", {"mtlab", "trl-packing", "trl-padding-free", "trl"}),
    ):
        held = figures[section]
        assert held["contestants"].keys() == names and held["trl"] == "in the same run"
        ours, theirs = held["contestants"]["mtlab"], held["contestants"]["trl"]
        assert ours["times_as_fast_is_mtlab"] == 1.0
        ratio = ours["tokens_per_second"] / theirs["tokens_per_second"]
        assert theirs["times_as_fast_is_mtlab"] == pytest.approx(ratio)
        share = ours["tokens_per_second"] * held["operations_per_token"] / 1e12
        assert ours["share_of_matrix_rate"] == pytest.approx(share / figures["rates"]["tflops"])
    each = {name: figures[name]["operations_per_token"] for name in ("full", "lora")}
    assert 4 / 6 < each["lora"] / each["full"] < 1, "frozen weights get no gradients"
    assert (
        "no flash attention here"
        in (figures["pairs"]["contestants"]["trl-padding-free"]["problem"])
    )
    beams = {one["name"]: one for one in figures["decode"]["contest"]["standings"]}
    assert beams.keys() == {"generate", "mtlab"}
    assert figures["decode"]["bound"] < figures["decode"]["bound_by_weights_alone"]
    told = figures["paper"]
    assert told["pairs"] > 1000 and told["layers"] == 2
    assert told["forecast_off"] == pytest.approx(
        told["seconds_forecast"] / told["seconds_by_slice"] - 1
    )
    assert told["seconds_of_all_layers"] == pytest.approx(told["seconds_by_slice"])
    learnt = figures["learning"]["losses"]
    assert learnt.keys() == {"mtlab", "trl-fp32"} and learnt["trl-fp32"] == [9.5]
    assert len(learnt["mtlab"]) == 3 * DRY.steps and len(set(learnt["mtlab"])) > 1
    said = capsys.readouterr().out
    assert "of matrix rate" in said and "minutes forecast" in said


def test_without_trl_the_lab_is_measured_alone_and_that_is_said(
    near: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, figures = run(tmp_path / "gpu.json", "--sections", "lora")
    assert status == 0 and figures.keys() >= {"rates", "lora"} and "full" not in figures
    assert figures["lora"]["contestants"].keys() == {"mtlab"}
    assert figures["lora"]["trl"] == "left out: no --trl-python was given"
    assert "TRL: left out, as no --trl-python was given" in capsys.readouterr().out


def test_a_section_that_fails_leaves_the_others_their_figures(
    home: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fail(bench: object) -> dict[str, Any]:
        raise RuntimeError("CUDA out of memory")

    sections = {"rates": gpu.SECTIONS["rates"], "full": fail, "lora": lambda bench: {"done": True}}
    monkeypatch.setattr(gpu, "SECTIONS", sections)
    status, figures = run(tmp_path / "gpu.json")
    assert status == 1 and figures["lora"] == {"done": True}
    assert figures["full"] == {"problem": "RuntimeError: CUDA out of memory"}
    status, figures = run(tmp_path / "later.json", "--minutes", 0)
    assert status == 1 and figures["lora"] == {"problem": "not begun, 0 minutes were over"}


def test_what_cannot_be_used_is_said_at_once(home: Settings, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="there is no interpreter"):
        gpu.main(["--dry-run", "--trl-python", str(tmp_path / "python")])
    with pytest.raises(FileNotFoundError):
        gpu.main(["--dry-run", "--output", str(tmp_path / "nowhere" / "gpu.json")])


def test_what_is_trained_is_cut_to_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    llama = FULL.llama
    assert llama.shape.parameters == 6_738_415_616, "Llama 2 7B's"
    monkeypatch.setattr(models, "device", lambda: "cuda")

    def fitting(gib: float, method: str) -> int:
        monkeypatch.setattr(models, "available_memory", lambda: (int(gib * 2**30), "GPU"))
        return models.that_fits(llama, models.training_of(method, FULL.batch, FULL.length)).layers

    assert fitting(138, "full") == 32 and fitting(138, "lora") == 32
    assert 8 < fitting(78, "full") < 32, "an H100 has no room for Adam's moments of all layers"
    assert fitting(78, "lora") == 32


def test_a_model_is_written_once_and_taken_again(tmp_path: Path, home: Settings) -> None:
    from mtlab.models import inspect
    from mtlab.presets import resolve_base

    small = models.Llama(64, 128, 2, 4, 8_192)
    folder = small.folder(tmp_path)
    facts = inspect(resolve_base(str(folder), home), home)
    assert facts.shape == small.shape, "the formulas and the folder mean one model"
    (folder / "model.safetensors").touch()
    written = (folder / "model.safetensors").stat().st_mtime_ns
    assert small.folder(tmp_path) == folder
    assert (folder / "model.safetensors").stat().st_mtime_ns == written

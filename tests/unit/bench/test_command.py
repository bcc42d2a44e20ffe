"""`mtlab bench`: what is refused, and before anything is measured where it can be."""

import json

import pytest

from mtlab.bench.results import Result
from mtlab.cli import bench as module
from mtlab.cli.parser import build_parser
from mtlab.errors import InputError, NotAvailable
from mtlab.forecasting import calibration
from mtlab.forecasting.machine import Pace
from mtlab.settings import ASSETS


@pytest.fixture
def measured(monkeypatch, home):
    """Which parts were measured against whom, by a stand-in that takes no time."""
    parts = {}

    def holding(part):
        def hold(wanted):
            parts[part] = wanted.against[part]
            yield Result(part, "sentences", "equal", ())

        return hold

    monkeypatch.setattr(module, "_HELD", {part: holding(part) for part in module.PARTS})
    return parts


def bench(*words):
    return module.bench(build_parser().parse_args(["bench", *map(str, words)]))


def test_a_file_that_cannot_be_written_is_refused_before_anything_is_measured(measured, tmp_path):
    for output in (tmp_path / "nowhere" / "figures.json", tmp_path):
        with pytest.raises(InputError, match=r"output: .* cannot be written .*: name a file in"):
            bench("decode", "-o", output)
    assert measured == {}
    kept = tmp_path / "figures.json"
    with pytest.raises(InputError, match="rounds"):
        bench("decode", "-o", kept, "--rounds", 0)
    assert not kept.exists()
    bench("decode", "-o", kept)
    assert [one["title"] for one in json.loads(kept.read_text())["results"]] == ["decode"]


def test_a_file_that_is_there_is_kept_until_there_are_figures(measured, monkeypatch, tmp_path):
    kept, fresh = tmp_path / "figures.json", tmp_path / "fresh.json"
    kept.write_text("{}")

    def die(wanted):
        raise NotAvailable("everything", fix="wait")
        yield

    monkeypatch.setitem(module._HELD, "decode", die)
    for output in (kept, fresh):
        with pytest.raises(NotAvailable):
            bench("decode", "-o", output)
    assert kept.read_text() == "{}" and not fresh.exists()


def test_nobody_is_measured_against_a_machines_own_speed(measured):
    says = "against: calibrate is measured against nobody: leave it out"
    with pytest.raises(InputError, match=says):
        bench("calibrate", "--against", "hf")
    assert measured == {}
    bench("all", "--against", "hf")
    assert measured["calibrate"] == () and "hf" in measured["decode"]
    with pytest.raises(InputError, match="against: there is no 'nobody': use .*hf"):
        bench("all", "--against", "nobody")


def test_a_model_that_is_not_there_is_refused_before_anything_is_measured(measured, tmp_path):
    with pytest.raises(InputError, match="model: the folder .* holds no model: name nano, 100m"):
        bench("all", "--model", tmp_path)
    assert measured == {}
    bench("train", "--model", ASSETS / "nano")
    assert "train" in measured


@pytest.mark.parametrize("text", ["²", "0", "-1", "three"])
def test_a_number_is_one_or_more(measured, text):
    with pytest.raises(InputError, match=f"rounds: '{text}' is no number of rounds"):
        bench("decode", f"--rounds={text}")


def test_a_home_that_cannot_be_written_is_one_sentence(monkeypatch, tmp_path):
    (tmp_path / "home").write_text("a file, no folder")
    monkeypatch.setenv("MTLAB_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(calibration, "_pace", lambda *_: Pace(1e-5, 1e-6))
    monkeypatch.setattr(calibration, "_copies", lambda *_: 1e10)
    with pytest.raises(NotAvailable, match="home cannot be written .*check its disk"):
        bench("calibrate")

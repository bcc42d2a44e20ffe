"""A machine's rates: between and beyond what was measured, kept, torn, measured anew."""

import pytest

from mtlab.forecasting import Machine, calibrate, calibration, machine_of
from mtlab.forecasting.machine import KINDS, Pace, layer_size
from mtlab.models.facts import Shape


def shape_of(width, layers=4):
    body = layers * layer_size(width)
    return Shape(body + 1000 * width, body, layers, width, 3 * width, width, 1000)


@pytest.mark.parametrize("precision", ["bf16", "fp32"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_wider_layer_takes_longer(kind, precision):
    machine = Machine(precision=precision)
    widths = (64, 256, 400, 768, 1000, 1536, 4096)
    paces = [machine.pace(kind, "auto", shape_of(width)) for width in widths]
    assert [one.token for one in paces] == sorted(one.token for one in paces)
    assert [one.layer for one in paces] == sorted(one.layer for one in paces)
    measured = machine.paces[f"{kind} {precision}"][768]
    assert paces[3].token == pytest.approx(measured.token)
    # Beyond what was measured a token costs as much for each parameter as there.
    beyond = paces[-1].token / layer_size(4096)
    assert beyond == pytest.approx(paces[-2].token / layer_size(1536))


def test_what_was_measured_is_kept_for_this_machine(home):
    assert not machine_of(home).is_measured
    quick = {f"{kind} bf16": {256: Pace(1e-5, 1e-6)} for kind in KINDS}
    made = Machine(paces=quick, copying=1e11, is_measured=True)
    calibration.keep(made, home)
    assert machine_of(home) == made
    (file,) = (home.cache / "machine").iterdir()
    for torn in ("{", "[]", '{"paces": {}}', file.read_text().replace("lora bf16", "lora fp8")):
        file.write_text(torn)
        assert not machine_of(home).is_measured


def test_it_is_measured(home, monkeypatch):
    monkeypatch.setattr(calibration, "_SECONDS", 0.0)
    monkeypatch.setattr(calibration, "_TIMES", 1)
    monkeypatch.setattr(calibration, "_WIDTHS", {"cpu": (64, 128)})
    monkeypatch.setattr(calibration, "_TOKENS", {"cpu": ((1, 4), (2, 16))})
    monkeypatch.setattr(calibration, "_COPIED", 2**20)
    monkeypatch.setattr(calibration, "_WRITTEN", 2**20)
    said = []
    made = calibrate(home, said.append)
    assert machine_of(home) == made and made.is_measured and len(said) == len(KINDS) + 1
    assert all(
        pace.layer > 0 and pace.token > 0
        for table in made.paces.values()
        for pace in table.values()
    )
    assert 1e8 < made.copying < 1e13 and made.writing > 1e5 and made.python > 0

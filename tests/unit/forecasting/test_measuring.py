"""The machine is measured by itself: once, and not where it was."""

import sys
import time

import pytest

from mtlab.forecasting import Machine, measuring
from mtlab.forecasting.calibration import keep
from mtlab.forecasting.measuring import Measuring


@pytest.fixture
def marks(home, tmp_path, monkeypatch):
    """What measures writes a file and hangs."""
    code = f"import os, time; open(r'{tmp_path}/' + str(os.getpid()), 'w'); time.sleep(60)"
    monkeypatch.setattr(measuring, "COMMAND", (sys.executable, "-c", code))
    return lambda: [one for one in tmp_path.iterdir() if one.name.isdecimal()]


def test_it_is_measured_once_and_ended_with_the_app(home, marks):
    one = Measuring(home)
    for _ in range(3):
        one.begin({})
    deadline = time.monotonic() + 60
    while not marks() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(marks()) == 1 and one._process.poll() is None
    one.end()
    assert one._process.poll() is not None
    one.begin({})
    assert len(marks()) == 1


def test_what_was_measured_is_not_measured_again(home, marks):
    keep(Machine(is_measured=True), home)
    one = Measuring(home)
    one.begin({})
    assert one._process is None

"""The time a running run still takes."""

import pytest

from mtlab.runs import provenance
from mtlab.runs.status import Status
from mtlab.runs.time_left import left_in_words, seconds_left, told_in_words

TOLD = {"load": 10.0, "base": 20.0, "train": 40.0, "decode": 20.0, "score": 10.0}
STATUS = Status("a", state="running", began=1000.0)


def at(phase, progress, **seconds):
    return STATUS.with_changes(phase=phase, progress=progress, seconds=seconds)


def test_progress_alone_tells_it_once_there_is_enough_of_it():
    assert seconds_left(STATUS.with_changes(progress=0.04), {}, 1010) is None
    assert seconds_left(STATUS.with_changes(progress=0.25), {}, 1010) == 30


def test_the_forecast_tells_it_from_the_start():
    assert seconds_left(STATUS, TOLD, 1010) == 90
    assert seconds_left(at("load", 0.03), TOLD, 1004) == 96


def test_phases_to_come_take_as_much_longer_as_those_before():
    halfway = at("train", 0.5, load=20.0, base=40.0)
    # Half of training took 40 seconds; it was to take 40 in all, and the machine is half as fast.
    assert seconds_left(halfway, TOLD, 1100) == pytest.approx(40 + 2 * 30)


def test_what_is_at_hand_counts_by_its_own_progress_towards_its_end():
    late = at("train", 0.3 + 0.4 * 0.9, load=10.0, base=20.0)
    left = seconds_left(late, TOLD, 1030 + 90)
    assert left == pytest.approx(0.9 * 10 + 0.1 * 0 + 30)


def test_a_run_slower_than_was_forecast_has_still_time_left():
    assert seconds_left(at("score", 0.95, load=10.0), TOLD, 2000) >= 0
    assert seconds_left(at("decode", 0.75), TOLD, 1500) > 10


@pytest.mark.parametrize("state", ["queued", "finished", "stopped"])
def test_only_a_running_run_has_time_left(tmp_path, state):
    assert left_in_words(at("train", 0.5).with_changes(state=state), tmp_path) == ""


def test_what_was_forecast_is_said_of_a_finished_run(tmp_path):
    done = STATUS.with_changes(state="finished")
    assert told_in_words(done, tmp_path) == ""
    told = {"seconds": TOLD, "total": 100.0, "memory_mb": 1234.5}
    provenance.record(tmp_path, forecast=told)
    assert told_in_words(done, tmp_path) == "forecast: 2 minutes and 1,234 MB"
    assert told_in_words(STATUS, tmp_path) == ""

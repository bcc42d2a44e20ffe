"""A sweep against real processes that only pretend to train: what it launches, skips, resumes."""

import threading
import time

import pytest

from mtlab import Lab, RunSpec
from mtlab.errors import InputError
from mtlab.experiments import Experiment
from mtlab.settings import ASSETS

SPEC = {"base": "nano", "train": ["de-en"], "metrics": ["chrf"]}
SIZES = Experiment("mine", SPEC, {"size": [2, 4]}, seeds=(0, 1))
CYCLES = Experiment(
    "cycles", {**SPEC, "size": 4}, {}, ({"label": "one"}, {"label": "two", "base": "run:@one"})
)


@pytest.fixture
def lab(home):
    made = Lab(home)
    yield made
    made.close()


def states(standings):
    return [one.state for one in standings]


def test_a_sweep_makes_every_run_and_the_same_sweep_again_makes_none(lab, fake_jobs):
    fake_jobs("quick")
    told = []
    ended = lab.sweep(SIZES).run(on_end=told.append)
    assert states(ended) == ["finished"] * 4 and not any(one.was_there for one in ended)
    assert [(one.spec.size, one.spec.seed) for one in told] == [(2, 0), (4, 0), (2, 1), (4, 1)]
    runs = lab.runs()
    assert sorted(run.id for run in runs) == sorted(one.run for one in ended)
    assert {run.spec.group for run in runs} == {"mine"}

    again = lab.sweep(SIZES)
    assert states(again.standings()) == ["finished"] * 4
    assert [one.run for one in again.run()] == [one.run for one in ended]
    assert all(one.was_there for one in again.run())
    assert len(lab.runs()) == 4


def test_a_run_of_another_name_and_group_is_the_same_run(lab, fake_jobs):
    fake_jobs("quick")
    other = lab.launch(RunSpec(**SPEC, size=4, seed=1, name="by hand"))
    assert other.wait(timeout=30).state == "finished"
    ended = lab.sweep(SIZES).run()
    assert [one.was_there for one in ended] == [False, False, False, True]
    assert ended[3].run == other.id


def test_a_failed_run_does_not_hold_up_the_rest_and_is_tried_again_later(lab, fake_jobs):
    fake_jobs("quick")

    def then(standing):
        fake_jobs("crash" if standing.place == 0 else "quick")

    ended = lab.sweep(SIZES).run(on_end=then)
    assert states(ended)[0] == "finished" and states(ended)[2:] == ["finished"] * 2
    assert ended[1].state in ("failed", "interrupted")

    fake_jobs("quick")
    again = lab.sweep(SIZES).run()
    assert states(again) == ["finished"] * 4
    assert [one.was_there for one in again] == [True, False, True, True]
    assert again[1].run == ended[1].run and len(lab.runs()) == 4


def test_what_cannot_be_launched_fails_by_itself(lab, fake_jobs):
    fake_jobs("quick")
    made = Experiment("mine", {**SPEC, "size": 4}, {"base": ["owner/model", "nano"]})
    ended = lab.sweep(made).run()
    assert states(ended) == ["failed", "finished"]
    assert ended[0].run is None and "owner/model" in ended[0].error
    assert ended[0].to_json()["error"] == ended[0].error


def test_a_limit_leaves_the_rest_for_later(lab, fake_jobs):
    fake_jobs("quick")
    assert states(lab.sweep(SIZES).run(limit=1)) == ["finished", *["planned"] * 3]
    assert states(lab.sweep(SIZES).run(limit=2)) == [*["finished"] * 3, "planned"]


def test_a_stopped_sweep_keeps_its_run_and_goes_on_with_it(lab, fake_jobs, until):
    fake_jobs("patient")
    sweep = lab.sweep(SIZES)
    found = []
    thread = threading.Thread(target=lambda: found.extend(sweep.run()))
    thread.start()
    until(lambda: lab.runs() and lab.runs()[0].status().pid)
    time.sleep(0.3)
    sweep.stop()
    thread.join(timeout=30)
    assert states(found) == ["stopped", *["planned"] * 3] and sweep.is_stopping
    fake_jobs("quick")
    again = lab.sweep(SIZES).run()
    assert states(again) == ["finished"] * 4 and again[0].run == found[0].run


def test_a_sweep_waits_for_a_run_that_is_already_there(lab, fake_jobs, until):
    fake_jobs("waits for its go")
    run = lab.launch(RunSpec(**SPEC, size=2))
    until(lambda: run.status().pid)
    threading.Timer(0.5, (run.folder / "go").touch).start()
    fake_jobs("quick")
    ended = lab.sweep(SIZES).run(limit=0)
    assert states(ended) == ["finished", *["planned"] * 3] and ended[0].run == run.id


def test_a_run_goes_on_from_the_one_it_names(lab, fake_jobs):
    fake_jobs("quick")
    assert states(lab.sweep(CYCLES).standings()) == ["planned"] * 2

    def save_a_model(standing):
        if standing.place == 0 and not standing.was_there:
            (lab.run(standing.run).folder / "model").symlink_to(ASSETS / "nano")

    ended = lab.sweep(CYCLES).run(on_end=save_a_model)
    assert states(ended) == ["finished"] * 2
    assert lab.run(ended[1].run).spec.base == f"run:{ended[0].run}"
    assert all(one.was_there for one in lab.sweep(CYCLES).run())


def test_what_needs_a_failed_run_is_not_launched(lab, fake_jobs):
    fake_jobs("stillborn")
    ended = lab.sweep(CYCLES).run()
    assert states(ended) == ["failed", "failed"]
    assert ended[1].run is None and ended[0].run in ended[1].error
    assert len(lab.runs()) == 1


@pytest.mark.parametrize(
    ("axes", "says"),
    [
        ({"size": [4, 1_000_000]}, "1,000,000 pairs are asked for"),
        ({"train": [["de-en"], ["cs-en"]]}, "cs-en"),
        ({"base": ["nano", "nanno"]}, "no base model 'nanno'"),
    ],
)
def test_what_no_run_can_have_is_said_before_the_first(lab, axes, says):
    with pytest.raises(InputError, match=says):
        lab.sweep(Experiment("mine", SPEC, axes))
    assert lab.runs() == []


def test_the_time_that_is_left_is_told(lab, fake_jobs):
    fake_jobs("quick")
    seconds, runs = lab.sweep(SIZES).seconds()
    alone = [lab.preview(step.spec).told.seconds for step in lab.sweep(SIZES).steps]
    # The untuned base translates the test set once, and not for each run.
    again = sum(one.get("base", 0.0) for one in alone[1:])
    assert runs == 4 and again > 0
    assert seconds == pytest.approx(sum(sum(one.values()) for one in alone) - again, rel=0.01)
    lab.sweep(SIZES).run(limit=1)
    assert lab.sweep(SIZES).seconds()[1] == 3

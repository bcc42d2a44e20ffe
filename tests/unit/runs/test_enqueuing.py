"""A whole experiment in the queue at once, and runs that wait for the runs they need."""

import json
import os
import signal

import pytest

from mtlab import Lab, RunSpec
from mtlab.errors import InputError, NotAvailable
from mtlab.experiments import Experiment
from mtlab.runs import creating
from mtlab.runs.needs import as_if_made, named_runs
from mtlab.settings import ASSETS

SPEC = {"base": "nano", "train": ["de-en"], "metrics": ["chrf"]}
SIZES = Experiment("mine", SPEC, {"size": [2, 4]}, seeds=(0, 1))
CHAIN = Experiment(
    "chain",
    {**SPEC, "size": 4},
    {},
    (
        {"label": "one"},
        {"label": "two", "base": "run:@one"},
        {"label": "three", "base": "run:@two"},
        {"label": "apart", "seed": 7},
    ),
)
TRANSLATED = Experiment(
    "translated",
    {**SPEC, "size": 4},
    {},
    ({"label": "one"}, {"label": "two", "noise.kind": "sentence", "noise.translator": "@one"}),
)


@pytest.fixture
def living(home, fake_jobs):
    """A lab whose supervisor really starts runs."""
    made = Lab(home)
    yield made
    made.close()


def states(runs):
    return [run.status().state for run in runs]


def end(run, state):
    """Write a run's end down as if its process had."""
    run._store.write_status(run.id, run.status().with_changes(state=state, requeues=0))
    run._store.index.mend(run.id)


def test_all_runs_are_queued_at_once_in_order(lab):
    runs = lab.enqueue(SIZES)
    assert states(runs) == ["queued"] * 4
    assert [(run.spec.size, run.spec.seed) for run in runs] == [(2, 0), (4, 0), (2, 1), (4, 1)]
    assert {run.spec.group for run in runs} == {"mine"}
    assert all(run.spec.training.steps and run.status().needs == () for run in runs)
    assert lab.store.database.queue() == [run.id for run in runs]
    assert [run.id for run in lab.runs()] == [run.id for run in reversed(runs)]


def test_what_is_there_is_reused_and_what_ended_badly_is_queued_again(lab):
    first = lab.enqueue(SIZES)
    for run, state in zip(first, ("finished", "stopped", "failed", "interrupted"), strict=True):
        end(run, state)
    again = lab.enqueue(SIZES)
    assert [run.id for run in again] == [run.id for run in first]
    assert states(again) == ["finished", "queued", "queued", "queued"]
    assert [run.id for run in lab.enqueue(SIZES)] == [run.id for run in first]
    assert len(lab.runs()) == 4
    larger = lab.enqueue(Experiment("more", SPEC, {"size": [2, 4, 8]}))
    assert [run.id for run in larger[:2]] == [run.id for run in first[:2]]
    assert states(larger) == ["finished", "queued", "queued"] and len(lab.runs()) == 5


@pytest.mark.parametrize(
    ("changes", "error", "says"),
    [
        ({"axes": {"size": [4, 10_000_000]}}, InputError, "10,000,000 pairs are asked for"),
        ({"axes": {"train": [["de-en"], ["cs-en"]]}}, InputError, "cs-en"),
        ({"axes": {"base": ["nano", "nanno"]}}, InputError, "no base model 'nanno'"),
        ({"axes": {"base": ["nano", "owner/model"]}}, NotAvailable, "'owner/model' is not on"),
        ({"axes": {"template": [None, "chat"]}}, InputError, "'nano' has no chat template"),
        (
            {"variations": ({}, {"noise.kind": "sentence", "noise.translator": "latest"})},
            InputError,
            "noise.translator: no run has finished yet",
        ),
        (
            {
                "variations": (
                    {"label": "raw", "training.method": "none", "test": ["de-en"]},
                    {"base": "run:@raw"},
                )
            },
            InputError,
            "base: the run '.*' trains nothing, so it makes no model: name its own base, nano",
        ),
    ],
)
def test_a_refusal_leaves_nothing_behind(lab, changes, error, says):
    stopped = lab.launch(RunSpec(**SPEC))
    stopped.stop()
    with pytest.raises(error, match=says):
        lab.enqueue(Experiment("mine", SPEC, **changes))
    assert [run.id for run in lab.runs()] == [stopped.id] and states([stopped]) == ["stopped"]
    assert os.listdir(lab.settings.runs) == [stopped.id]


def test_a_disk_that_fills_up_meanwhile_leaves_nothing_behind(lab, monkeypatch):
    write, written = creating.write_json, []

    def full(path, value, **options):
        written.append(path)
        if len(written) > 5:
            raise OSError(28, "No space left on device")
        write(path, value, **options)

    monkeypatch.setattr(creating, "write_json", full)
    with pytest.raises(NotAvailable, match="is full"):
        lab.enqueue(SIZES)
    assert os.listdir(lab.settings.runs) == [] and lab.store.database.states() == {}


def test_a_chain_is_queued_before_its_first_run_has_made_anything(lab):
    one, two, three, apart = lab.enqueue(CHAIN)
    assert (two.spec.base, three.spec.base) == (f"run:{one.id}", f"run:{two.id}")
    needs = [run.status().needs for run in (one, two, three, apart)]
    assert needs == [(), (one.id,), (two.id,), ()]
    assert two.spec.training == one.spec.training, "the defaults are those of the base"
    assert [run.id for run in lab.enqueue(CHAIN)] == [one.id, two.id, three.id, apart.id]
    assert len(lab.runs()) == 4


def test_a_run_starts_when_those_it_needs_have_finished(living, fake_jobs, until):
    fake_jobs("waits for its go")
    one, two, three, apart = living.enqueue(CHAIN)
    until(lambda: one.status().pid)
    (one.folder / "model").symlink_to(ASSETS / "nano")
    (two.folder / "model").symlink_to(ASSETS / "nano")
    apart.stop()
    (one.folder / "go").touch()
    until(lambda: two.status().pid)
    assert states([one, two, three]) == ["finished", "running", "queued"]
    (two.folder / "go").touch()
    until(lambda: three.status().pid)
    (three.folder / "go").touch()
    until(lambda: three.status().state == "finished")


def test_others_are_started_meanwhile(lab):
    one, two, three, apart = lab.enqueue(CHAIN)
    database, is_ready = lab.store.database, lab.supervisor._is_ready
    gpus = ("cuda:0", "cuda:1", "cuda:2")
    claimed = [database.claim(gpus, "host", f"token-{n}", is_ready) for n in range(3)]
    assert claimed == [(one.id, ("cuda:0",)), (apart.id, ("cuda:1",)), None]
    end(one, "finished")
    assert database.claim(gpus, "host", "token-2", is_ready) == (two.id, ("cuda:2",))
    assert database.queue() == [three.id]


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ("failed", "which failed: resume {}, then this run."),
        ("stopped", "which was stopped: resume {}, then this run."),
        ("deleted", "which was deleted: launch it again with another base or translator."),
    ],
)
def test_a_run_whose_need_is_not_met_fails_and_says_so(lab, how, says):
    one, two, three, apart = lab.enqueue(CHAIN)
    if how == "deleted":
        one.delete()
    else:
        end(one, how)
    lab.supervisor._end_hopeless()
    assert states([two, three, apart]) == ["failed", "failed", "queued"]
    assert two.status().sentence == f"it needs the run {one.id}, {says.format(one.id)}"
    assert three.status().sentence.startswith(f"it needs the run {two.id}, which failed")
    assert [event.kind for event in two.events()] == ["error", "end"]
    with pytest.raises(InputError, match=f"run {two.id}: it needs the run {one.id}, which"):
        two.resume()
    assert states([two]) == ["failed"]


def test_what_failed_for_its_need_is_resumed_with_it(lab):
    one, two, three, _ = lab.enqueue(CHAIN)
    end(one, "failed")
    lab.supervisor._end_hopeless()
    again = lab.enqueue(CHAIN)
    assert states(again) == ["queued"] * 4 and len(lab.runs()) == 4
    assert two.status().needs == (one.id,) and two.status().error is None
    lab.supervisor._end_hopeless()
    assert states(again) == ["queued"] * 4
    assert lab.store.database.queue()[1:] == [one.id, two.id, three.id]


def test_the_need_of_a_translator(lab):
    one, two = lab.enqueue(TRANSLATED)
    assert two.spec.noise.translator == one.id and two.status().needs == (one.id,)
    end(one, "finished")
    (one.folder / "model").symlink_to(ASSETS / "nano")
    latest = lab.launch(two.spec.with_changes(noise__translator="latest", seed=5))
    assert latest.spec.noise.translator == one.id and latest.status().needs == ()


def test_a_run_can_be_launched_on_one_that_waits(lab):
    one = lab.launch(RunSpec(**SPEC, size=4))
    two = lab.launch(RunSpec(**{**SPEC, "base": f"run:{one.id}"}, size=4))
    assert two.status().needs == (one.id,)
    one.stop()
    with pytest.raises(InputError, match="has saved no model to go on from"):
        lab.launch(RunSpec(**{**SPEC, "base": f"run:{one.id}"}, size=8))
    # Stopped and kept, it has a model, and a run launched from that one waits for nothing.
    (one.folder / "model").symlink_to(ASSETS / "nano")
    three = lab.launch(RunSpec(**{**SPEC, "base": f"run:{one.id}"}, size=8))
    lab.supervisor._end_hopeless()
    assert three.status().needs == () and states([two, three]) == ["failed", "queued"]


def test_needs_outlive_the_index(lab):
    one, two, *_ = lab.enqueue(CHAIN)
    for path in lab.settings.home.glob("lab.db*"):
        path.unlink()
    assert lab.store.database.queue()[:2] == [one.id, two.id]
    assert not lab.supervisor._is_ready(two.id) and lab.supervisor._is_ready(one.id)


def test_a_status_from_before_there_were_needs(lab):
    run = lab.launch(RunSpec(**SPEC))
    path = run.folder / "status.json"
    data = json.loads(path.read_text())
    for name in ("needs", "queued", "priority"):
        del data[name]
    path.write_text(json.dumps(data))
    assert run.status().needs == () and lab.supervisor._is_ready(run.id)
    lab.store.index.rebuild()
    assert lab.store.database.queue() == [run.id]


def test_a_sweep_takes_over_what_was_queued(living, fake_jobs, until):
    fake_jobs("quick")

    def save_a_model(standing):
        if standing.run and not (living.run(standing.run).folder / "model").exists():
            (living.run(standing.run).folder / "model").symlink_to(ASSETS / "nano")

    supervise, living.supervisor.start = living.supervisor.start, lambda: None
    runs = living.enqueue(CHAIN)
    sweep = living.sweep(CHAIN)
    assert [one.run for one in sweep.standings()] == [run.id for run in runs]
    assert [one.state for one in sweep.standings()] == ["queued"] * 4
    living.supervisor.start = supervise
    ended = sweep.run(on_end=save_a_model)
    assert [(one.run, one.state) for one in ended] == [(run.id, "finished") for run in runs]
    assert [run.status().attempts for run in runs] == [1] * 4 and len(living.runs()) == 4


def test_a_need_that_dies_while_it_runs(living, fake_jobs, until):
    fake_jobs("waits for its go")
    one, two, three, apart = living.enqueue(CHAIN)
    until(lambda: one.status().pid)
    os.killpg(one.status().pid, signal.SIGKILL)
    until(lambda: states([one, two, three]) == ["failed"] * 3)
    until(lambda: apart.status().pid)
    (apart.folder / "go").touch()
    until(lambda: apart.status().state == "finished")


def test_which_runs_a_spec_names():
    run, other = "20260101-000000-0001", "20260101-000000-0002"
    noise = {"kind": "sentence", "translator": f"run:{other}"}
    spec = RunSpec(train=["de-en"], base=f"run:{run}", noise=noise)
    assert named_runs(spec) == (run, other)
    assert named_runs(spec.with_changes(noise__ratio=0)) == (run,)
    for name in ("nano", "latest", "run:@one", run):
        assert named_runs(RunSpec(train=["de-en"], base=name)) == ()
    specs = {run: RunSpec(train=["de-en"], base=f"run:{other}"), other: RunSpec(train=["de-en"])}
    known = as_if_made(spec, specs.get)
    assert (known.base, known.noise.translator) == ("nano", "base:nano")

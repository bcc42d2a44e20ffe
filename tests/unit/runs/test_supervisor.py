"""The supervisor against real processes that behave well, badly, and not at all."""

import json
import os
import shutil
import signal
import time

import pytest

from mtlab.runs import supervisor as supervisor_module
from mtlab.runs.attending import Patience, attend
from mtlab.runs.devices import devices, environment_for
from mtlab.runs.identity import ProcessIdentity
from mtlab.runs.store import RunStore
from mtlab.runs.supervisor import Supervisor

QUICK = Patience(asked=0.2, terminated=0.3, lingering=0.3)


@pytest.fixture(autouse=True)
def one_device(monkeypatch):
    monkeypatch.setattr(supervisor_module, "devices", lambda: ("cpu",))


@pytest.fixture
def supervisor(store, home):
    made = Supervisor(store, home, patience=QUICK)
    yield made
    made.stop()


def ticking(supervisor, holds):
    def check():
        supervisor.tick()
        return holds()

    return check


def alive(status):
    return status.pid and ProcessIdentity(status.pid, status.started, status.token).is_alive()


def test_one_after_the_other(store, spec, supervisor, fake_jobs, until):
    fake_jobs("obedient")
    first, second = store.create(spec), store.create(spec)
    until(ticking(supervisor, lambda: store.status(first.id).phase == "train"))
    assert store.status(second.id).state == "queued"
    (first.folder / "go").touch()
    until(ticking(supervisor, lambda: store.status(second.id).phase == "train"))
    assert store.status(first.id).state == "finished"
    (second.folder / "go").touch()
    until(ticking(supervisor, lambda: not store.database.leases()[1:]))
    assert store.database.states() == {first.id: "finished", second.id: "finished"}


def test_two_supervisors_run_one_job_at_a_time(store, spec, home, fake_jobs, until):
    fake_jobs("obedient")
    runs = [store.create(spec) for _ in range(3)]
    pair = [Supervisor(RunStore(home), home, patience=QUICK) for _ in range(2)]
    most = 0
    for supervisor in pair:
        supervisor.start()
    try:
        for run in runs:
            until(lambda run=run: store.status(run.id).phase == "train")
            living = [alive(store.status(one.id)) for one in runs]
            most = max(most, sum(map(bool, living)))
            (run.folder / "go").touch()
        until(lambda: all(store.status(run.id).state == "finished" for run in runs))
    finally:
        for supervisor in pair:
            supervisor.stop()
    assert most == 1
    assert [store.status(run.id).attempts for run in runs] == [1, 1, 1]


def test_even_without_the_lease_a_device_is_taken_once(store, spec, home, fake_jobs, monkeypatch):
    fake_jobs("patient")
    monkeypatch.setattr(Supervisor, "_hold_lease", lambda self: True)
    for _ in range(3):
        store.create(spec)
    for _ in range(3):
        Supervisor(store, home).tick()
    assert sum(state == "running" for state in store.database.states().values()) == 1


def test_a_run_is_found_again_by_the_next_supervisor(store, spec, home, fake_jobs, until):
    fake_jobs("obedient")
    run = store.create(spec)
    first = Supervisor(store, home, patience=QUICK)
    until(ticking(first, lambda: store.status(run.id).phase == "train"))
    first.stop()
    second = Supervisor(RunStore(home), home, patience=QUICK)
    second.tick()
    assert store.status(run.id).state == "running"
    (run.folder / "go").touch()
    until(ticking(second, lambda: "cpu" not in [x.name for x in store.database.leases()]))
    assert store.status(run.id).state == "finished" and store.status(run.id).attempts == 1
    second.stop()


def test_the_index_lost_while_a_run_lives(store, spec, supervisor, fake_jobs, until):
    fake_jobs("obedient")
    run, waiting = store.create(spec), store.create(spec)
    until(ticking(supervisor, lambda: store.status(run.id).phase == "train"))
    for name in ("lab.db", "lab.db-wal", "lab.db-shm"):
        (store.settings.home / name).unlink(missing_ok=True)
    supervisor.tick()
    assert store.status(run.id).state == "running"
    assert store.status(waiting.id).state == "queued", "its device is still held"
    (run.folder / "go").touch()
    until(ticking(supervisor, lambda: store.status(waiting.id).state == "running"))
    assert store.status(run.id).state == "finished"


@pytest.mark.parametrize("behaviour", ["patient", "stubborn"])
def test_stopped_means_gone(store, spec, supervisor, fake_jobs, until, behaviour):
    fake_jobs(behaviour)
    run, waiting = store.create(spec), store.create(spec)
    until(ticking(supervisor, lambda: store.status(run.id).phase == "train"))
    running = store.status(run.id)
    store.request_stop(run.id)
    until(ticking(supervisor, lambda: store.written_status(run.id).state == "stopped"))
    assert not alive(running)
    assert [event.kind for event in store.events(run.id)][-1] == "end"
    until(ticking(supervisor, lambda: store.status(waiting.id).state == "running"))


def test_what_a_run_started_is_ended_with_it(store, spec, supervisor, fake_jobs, until):
    fake_jobs("child")
    run = store.create(spec)
    until(ticking(supervisor, lambda: store.status(run.id).pid))
    status = store.status(run.id)
    identity = ProcessIdentity(status.pid, status.started, status.token)
    until(lambda: len(identity.group()) == 2)
    (run.folder / "go").touch()
    until(ticking(supervisor, lambda: not identity.group()))
    assert store.status(run.id).state == "finished"


def test_a_process_that_hangs_after_its_end_is_ended(store, spec, supervisor, fake_jobs, until):
    fake_jobs("lingering")
    run = store.create(spec)
    (run.folder / "go").touch()
    until(ticking(supervisor, lambda: store.status(run.id).state == "finished"))
    status = store.status(run.id)
    assert alive(status)
    until(ticking(supervisor, lambda: not alive(status)))
    assert store.status(run.id).state == "finished"


def test_discarding_deletes_when_gone(store, spec, supervisor, fake_jobs, until):
    fake_jobs("patient")
    run = store.create(spec)
    until(ticking(supervisor, lambda: store.status(run.id).phase == "train"))
    status = store.status(run.id)
    store.request_stop(run.id, keep=False)
    until(ticking(supervisor, lambda: not run.folder.exists()))
    assert not alive(status) and store.list() == []
    until(ticking(supervisor, lambda: "cpu" not in [x.name for x in store.database.leases()]))


def test_a_killed_run_is_no_ghost(store, spec, supervisor, fake_jobs, until):
    fake_jobs("crash")
    run = store.create(spec)
    until(ticking(supervisor, lambda: store.status(run.id).is_over))
    status = store.status(run.id)
    assert status.state == "failed" and "killed" in status.sentence
    # A reader sees that the process is gone before the supervisor has written it down.
    until(ticking(supervisor, lambda: store.written_status(run.id).state == "failed"))
    assert [event.kind for event in store.events(run.id)][-2:] == ["error", "end"]
    store.requeue(run.id)
    fake_jobs("obedient")
    (run.folder / "go").touch()
    until(ticking(supervisor, lambda: store.status(run.id).state == "finished"))
    assert store.status(run.id).attempts == 2 and store.status(run.id).error is None


def test_a_run_that_is_stillborn_says_why(store, spec, supervisor, fake_jobs, until):
    fake_jobs("stillborn")
    run = store.create(spec)
    until(ticking(supervisor, lambda: store.status(run.id).is_over))
    assert "no such thing" in store.status(run.id).sentence


def test_a_launcher_that_died_between_taking_and_starting(store, spec, supervisor, monkeypatch):
    monkeypatch.setattr("mtlab.runs.settling.LAUNCH_SECONDS", -1.0)
    monkeypatch.setattr(supervisor_module, "LAUNCH_SECONDS", -1.0)
    monkeypatch.setattr(supervisor_module, "launch", lambda *_: pytest.fail("not yet"))
    taken = store.create(spec)
    store.database.claim("cpu", "host", "mtlab-nobody")
    started = store.status(taken.id)
    supervisor._hold_lease()
    supervisor._attend(store.database.leases()[0], taken.id)
    assert store.database.states() == {taken.id: "queued"}
    store.database.claim("cpu", "host", "mtlab-nobody")
    launched = started.with_changes(state="running", token="mtlab-nobody", attempts=1, began=1.0)
    store.write_status(taken.id, launched)
    assert store.status(taken.id).state == "running"
    supervisor._attend(store.database.leases()[0], taken.id)
    assert store.status(taken.id).state == "queued"
    assert store.database.states() == {taken.id: "queued"}


def test_a_folder_removed_while_it_runs(store, spec, supervisor, fake_jobs, until):
    fake_jobs("stubborn")
    run = store.create(spec)
    until(ticking(supervisor, lambda: store.status(run.id).phase == "train"))
    status = store.status(run.id)
    shutil.rmtree(run.folder)
    until(ticking(supervisor, lambda: "cpu" not in [x.name for x in store.database.leases()]))
    assert not alive(status)


def test_a_run_given_to_another_attempt_is_left_alone(store, spec, supervisor, fake_jobs, until):
    fake_jobs("stubborn")
    run = store.create(spec)
    until(ticking(supervisor, lambda: store.status(run.id).phase == "train"))
    status = store.status(run.id)
    path = run.folder / "status.json"
    other = json.dumps({**json.loads(path.read_text()), "token": "mtlab-other"})
    path.write_text(other)
    until(lambda: not alive(status))
    assert json.loads(path.read_text())["token"] == "mtlab-other"


def test_sigterm_from_outside_interrupts(store, spec, supervisor, fake_jobs, until):
    fake_jobs("patient")
    run = store.create(spec)
    until(ticking(supervisor, lambda: store.status(run.id).phase == "train"))
    os.kill(store.status(run.id).pid, signal.SIGTERM)
    until(ticking(supervisor, lambda: store.status(run.id).is_over))
    assert store.status(run.id).state == "interrupted"


def test_a_stale_supervisor_is_passed_over(store, home, monkeypatch):
    first, second = Supervisor(store, home), Supervisor(store, home)
    first.tick()
    second.tick()
    assert not second._holds
    monkeypatch.setattr(supervisor_module.time, "time", lambda now=time.time: now() + 100)
    second.tick()
    assert second._holds
    second.stop()


def test_devices(monkeypatch):
    devices.cache_clear()
    monkeypatch.setattr("mtlab.runs.devices._torch_is_cpu_only", lambda: False)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,5")
    try:
        assert devices() == ("cuda:0", "cuda:1")
        assert environment_for("cuda:1") == {"CUDA_VISIBLE_DEVICES": "5"}
        devices.cache_clear()
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
        assert devices() == ("cpu",) and environment_for("cpu") == {}
    finally:
        devices.cache_clear()


def test_resumed_at_once_after_another_process_saw_the_end(
    store, spec, supervisor, fake_jobs, until
):
    fake_jobs("obedient")
    run = store.create(spec)
    until(ticking(supervisor, lambda: store.status(run.id).phase == "train"))
    os.killpg(store.status(run.id).pid, signal.SIGKILL)
    until(lambda: attend(store, run.id).is_over)
    store.requeue(run.id)
    (run.folder / "go").touch()
    until(ticking(supervisor, lambda: store.status(run.id).state == "finished"))
    assert store.status(run.id).attempts == 2

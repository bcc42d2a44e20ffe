"""The supervisor against real processes that behave well, badly, and not at all."""

import json
import os
import shutil
import signal
import time
from dataclasses import replace

import pytest

from mtlab.errors import InputError, NotAvailable
from mtlab.runs import files
from mtlab.runs import supervisor as supervisor_module
from mtlab.runs.attending import Patience, attend
from mtlab.runs.database import Lease
from mtlab.runs.devices import LENT, allowed_devices, check_device, devices, environment_for
from mtlab.runs.holding import Holding
from mtlab.runs.identity import ProcessIdentity, this_host
from mtlab.runs.needs import obstacle
from mtlab.runs.store import RunStore
from mtlab.runs.supervisor import Supervisor

QUICK = Patience(asked=0.2, terminated=0.3, lingering=0.3)


@pytest.fixture(autouse=True)
def one_device(monkeypatch):
    monkeypatch.setattr(supervisor_module, "allowed_devices", lambda settings: ("cpu",))


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
    monkeypatch.setattr(Holding, "holds", lambda self: True)
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
    store.database.claim(("cpu",), "host", "mtlab-nobody", bool)
    started = store.status(taken.id)
    supervisor._holding.holds()
    supervisor._attend(store.database.leases()[0], taken.id)
    assert store.database.states() == {taken.id: "queued"}
    store.database.claim(("cpu",), "host", "mtlab-nobody", bool)
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


def test_an_interrupted_run_goes_on_by_itself_twice(store, spec, supervisor, fake_jobs, until):
    fake_jobs("patient")
    run, waiting = store.create(spec), store.create(spec)
    killed = set()

    def kill_once():
        status = store.status(run.id)
        if status.state == "running" and status.pid and status.pid not in killed:
            killed.add(status.pid)
            os.kill(status.pid, signal.SIGTERM)
        return status.is_over

    until(ticking(supervisor, kill_once))
    assert len(killed) == 3
    until(ticking(supervisor, lambda: store.status(waiting.id).state == "running"))
    status = store.status(run.id)
    assert status.state == "interrupted" and status.is_over and status.attempts == 3
    said = [event["text"] for event in store.events(run.id) if event.kind == "note"]
    assert said == [f"interrupted; goes on by itself ({n} of 2)" for n in (1, 2)]
    store.requeue(run.id)
    assert store.status(run.id).requeues == 2, "a person's wish counts anew"


def test_what_waits_for_it_waits_on_while_it_may_go_on(store, spec, supervisor):
    run = store.create(spec)
    other = store.create(spec, needs=[run.id])
    interrupted = store.status(run.id).with_changes(state="interrupted")
    store.write_status(run.id, interrupted)
    assert obstacle(store, store.status(other.id)) is None and not interrupted.is_over
    store.write_status(run.id, interrupted.with_changes(requeues=0))
    assert "was interrupted" in obstacle(store, store.status(other.id))["what"]


def test_one_that_would_go_on_can_be_stopped(store, spec, supervisor):
    run = store.create(spec)
    store.write_status(run.id, store.status(run.id).with_changes(state="interrupted"))
    store.request_stop(run.id)
    assert store.status(run.id).state == "stopped"
    supervisor.tick()
    assert store.database.states() == {run.id: "stopped"}
    store.write_status(run.id, store.status(run.id).with_changes(state="interrupted"))
    store.request_stop(run.id, keep=False)
    assert store.list() == []


def test_a_stale_supervisor_is_passed_over(store, home, monkeypatch):
    first, second = Supervisor(store, home), Supervisor(store, home)
    first.tick()
    second.tick()
    assert not second._holding.held
    monkeypatch.setattr(supervisor_module.time, "time", lambda now=time.time: now() + 100)
    second.tick()
    assert second._holding.held
    second.stop()


def of_the_future(store, host):
    """The supervision held by a process of `host`, its heartbeat of a clock since set back."""
    lease = Lease(supervisor_module.NAME, host, pid=1, started="x", token="t")
    store.database.take(lease, lambda held: True)
    with store.database.transaction() as connection:
        connection.execute("UPDATE leases SET heartbeat = ?", (time.time() + 9e9,))


def test_a_supervisor_of_before_the_restart_is_passed_over(store, supervisor):
    of_the_future(store, this_host().rpartition(":")[0] + ":another")
    supervisor.tick()
    assert supervisor._holding.held


def test_a_silent_supervisor_elsewhere_is_passed_over_though_the_clock_was_set_back(
    store, supervisor, monkeypatch
):
    of_the_future(store, "another-machine:boot")
    supervisor.tick()
    assert not supervisor._holding.held
    now = time.monotonic
    monkeypatch.setattr(supervisor_module.time, "monotonic", lambda: now() + 100)
    supervisor.tick()
    assert supervisor._holding.held


def test_a_clock_set_back_does_not_keep_a_stubborn_run_from_stopping(
    store, spec, supervisor, fake_jobs, until
):
    fake_jobs("stubborn")
    run = store.create(spec)
    until(ticking(supervisor, lambda: store.status(run.id).phase == "train"))
    files.write_json(run.folder / "stop.json", {"keep": True, "time": time.time() + 9e9})
    until(ticking(supervisor, lambda: store.written_status(run.id).state == "stopped"))


def test_a_clock_set_back_does_not_keep_the_device_of_a_process_that_hangs(
    store, spec, supervisor, fake_jobs, until
):
    fake_jobs("lingering")
    run = store.create(spec)
    (run.folder / "go").touch()
    until(ticking(supervisor, lambda: store.status(run.id).state == "finished"))
    status = store.status(run.id)
    store.write_status(run.id, status.with_changes(ended=status.ended + 9e9))
    until(ticking(supervisor, lambda: not alive(status)))


def test_a_run_gets_the_device_it_wants(store, spec, home, fake_jobs, monkeypatch):
    fake_jobs("patient")
    first, second = store.create(spec, wants="cuda:1"), store.create(spec)
    third = store.create(spec, wants="cuda:1")
    monkeypatch.setattr(supervisor_module, "allowed_devices", lambda _: ("cuda:0", "cuda:1"))
    Supervisor(store, home).tick()
    held = {store.written_status(run.id).device: run.id for run in (first, second)}
    assert held == {"cuda:1": first.id, "cuda:0": second.id}
    assert store.status(third.id).state == "queued"


def test_devices(home, monkeypatch):
    devices.cache_clear()
    monkeypatch.setattr("mtlab.runs.devices._torch_is_cpu_only", lambda: False)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,5")
    try:
        assert devices() == ("cuda:0", "cuda:1")
        assert environment_for("cuda:1") == {"CUDA_VISIBLE_DEVICES": "5"}
        devices.cache_clear()
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
        assert devices() == ("cpu",) and environment_for("cpu") == {}
        devices.cache_clear()
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,5")
        assert allowed_devices(home) == ("cuda:0", "cuda:1")
        chosen = replace(home, devices=("cuda:1", "cpu", "cuda:7"))
        assert allowed_devices(chosen) == ("cuda:1", "cpu")
        assert environment_for("cpu") == {"CUDA_VISIBLE_DEVICES": ""}
        check_device("cpu", chosen)
        with pytest.raises(InputError, match="device: no run may hold 'cuda:0' here: use cuda:1"):
            check_device("cuda:0", chosen)
        with pytest.raises(NotAvailable, match="no cuda:7: set MTLAB_DEVICES to cuda:0, cuda:1"):
            allowed_devices(replace(home, devices=("cuda:7",)))
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


@pytest.mark.parametrize(("wants", "idle"), [("ray", True), (LENT, True), ("cpu", False)])
def test_a_run_for_another_place_does_not_busy_this_machine(store, spec, wants, idle):
    store.create(spec, wants=wants)
    assert store.database.is_idle(("cpu",)) is idle
    store.database.claim((wants,), this_host(), "mtlab-token", bool)
    assert [lease.name for lease in store.database.leases()] == [wants]
    assert store.database.is_idle(("cpu",)) is idle


def test_a_run_that_waits_for_any_device_busies_this_machine(store, spec):
    assert store.database.is_idle(("cpu",))
    store.create(spec)
    assert not store.database.is_idle(("cpu",))


def test_a_process_is_kept_ready_while_only_others_devices_are_waited_for(
    store, spec, supervisor, monkeypatch
):
    told = []
    monkeypatch.setattr(supervisor._ready, "tend", lambda command, now: told.append(now))
    store.create(spec, wants="ray")
    supervisor.tick()
    assert told == ["idle"]


def test_an_index_that_fails_at_the_start_leaves_the_run_waiting(
    store, spec, supervisor, monkeypatch
):
    run = store.create(spec)
    supervisor._holding.holds()
    with monkeypatch.context() as patch:

        def refused():
            raise NotAvailable("the index is locked")

        patch.setattr(store.database, "leases", refused)
        with pytest.raises(NotAvailable, match="the index is locked"):
            supervisor._start_next()
    status = store.written_status(run.id)
    assert (status.state, status.token, status.attempts) == ("queued", None, 0)
    assert store.database.states() == {run.id: "queued"}
    assert [lease.run for lease in store.database.leases()] == [None]


def test_a_process_whose_token_stays_in_a_status_is_not_kept(store, spec, supervisor, monkeypatch):
    store.create(spec)
    written, ended = [], []

    def full(run, status, **_):
        written.append(status.state)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store, "write_status", full)
    monkeypatch.setattr(supervisor._ready, "end", lambda: ended.append(True))
    with pytest.raises(NotAvailable):
        supervisor._start_next()
    assert written == ["running", "queued"] and ended == [True]

"""What the lab goes by is wrong: the clock was set back, a pid is another's, a folder is gone."""

import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from mtlab.errors import InputError
from mtlab.runs.attending import attend
from mtlab.runs.files import read_json, write_json
from mtlab.runs.identity import start_mark
from tests.e2e.faults.aftermath import check_aftermath
from tests.real_runs import until

DAY = 86_400


@pytest.fixture
def stranger():
    """A process that has nothing to do with the lab, and leads its group."""
    child = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True
    )
    yield child
    child.kill()
    child.wait()


def ticks(supervisor, holds):
    def check():
        supervisor.tick()
        return holds()

    until(check)


def started(store, plain, supervisor):
    run = store.create(plain)
    ticks(supervisor, lambda: store.status(run.id).phase == "train")
    return run


@pytest.mark.parametrize("days", [-1, 1], ids=["back", "ahead"])
def test_the_clock_is_set_while_a_run_lives(store, plain, supervisor, fake_jobs, monkeypatch, days):
    """Back and ahead by a day for who looks on; the run's process knows another time."""
    fake_jobs("obedient")
    first = started(store, plain, supervisor)
    monkeypatch.setattr(time, "time", lambda now=time.time: now() + days * DAY)
    second = store.create(plain)
    for _ in range(5):
        supervisor.tick()
    assert store.status(first.id).state == "running" and store.status(first.id).attempts == 1
    assert store.database.queue() == [second.id]
    check_aftermath(store.settings, [first.id, second.id], tick=supervisor.tick)
    os.killpg(store.status(first.id).pid, signal.SIGKILL)
    ticks(supervisor, lambda: store.written_status(first.id).state == "failed")
    ticks(supervisor, lambda: store.status(second.id).phase == "train")
    store.request_stop(second.id)
    ticks(supervisor, lambda: store.written_status(second.id).state == "stopped")
    check_aftermath(store.settings, [first.id, second.id], tick=supervisor.tick)


def test_a_heartbeat_of_the_future_makes_no_ghost(store, plain, supervisor, fake_jobs):
    fake_jobs("obedient")
    run = started(store, plain, supervisor)
    os.killpg(store.status(run.id).pid, signal.SIGKILL)
    future = store.written_status(run.id).with_changes(heartbeat=time.time() + 10 * DAY)
    store.write_status(run.id, future)
    until(lambda: store.status(run.id).state == "failed")
    ticks(supervisor, lambda: store.written_status(run.id).state == "failed")
    check_aftermath(store.settings, [run.id], tick=supervisor.tick)


@pytest.mark.parametrize("knows_start", [True, False])
def test_a_reused_pid_is_neither_believed_nor_signalled(
    store, plain, supervisor, stranger, fake_jobs, knows_start
):
    """After a power cut: the pid is a stranger's now, whose start even matches in one case."""
    fake_jobs("obedient")
    run, waiting = store.create(plain), store.create(plain)
    status = store.status(run.id).with_changes(
        state="running",
        pid=stranger.pid,
        started=start_mark(stranger.pid) if knows_start else None,
        token="mtlab-of-a-process-that-is-gone",
        device="cpu",
        attempts=1,
        began=time.time() - 60,
    )
    store.write_status(run.id, status)
    store.index.rebuild()
    assert store.status(run.id).state == "failed"
    write_json(run.folder / "stop.json", {"keep": True, "time": 1.0})  # asked long ago
    ticks(supervisor, lambda: store.status(waiting.id).phase == "train")
    assert store.written_status(run.id).state == "stopped"
    assert stranger.poll() is None, "it was left alone"
    check_aftermath(store.settings, [run.id, waiting.id], tick=supervisor.tick)


def test_a_run_of_a_machine_that_shares_the_home_is_known_by_its_heartbeat(
    store, plain, supervisor, fake_jobs
):
    """As with an app in one container and a command line in another."""
    fake_jobs("patient")
    run = started(store, plain, supervisor)
    here = store.written_status(run.id)
    os.killpg(here.pid, signal.SIGKILL)
    until(lambda: start_mark(here.pid) is None)
    there = here.with_changes(host="another:boot", heartbeat=time.time())
    store.write_status(run.id, there)
    assert store.status(run.id).state == "running"
    assert attend(store, run.id) == there, "nobody here may write its end"
    for heartbeat in (time.time() - DAY, time.time() + DAY):
        store.write_status(run.id, there.with_changes(heartbeat=heartbeat))
        assert store.status(run.id).state == "failed"


def test_folders_removed_by_hand_in_every_state(store, plain, supervisor, fake_jobs):
    fake_jobs("patient")
    running = started(store, plain, supervisor)
    waiting, kept = store.create(plain), store.create(plain)
    over = store.create(plain)
    store.request_stop(over.id)
    for gone in (running, waiting, over):
        shutil.rmtree(gone.folder)
    with pytest.raises(InputError, match=f"there is no run '{waiting.id}'"):
        store.status(waiting.id)
    ticks(supervisor, lambda: store.status(kept.id).phase == "train")
    check_aftermath(store.settings, [kept.id], tick=supervisor.tick)


def test_a_run_deleted_before_its_process_has_gone_leaves_none(store, plain, supervisor, fake_jobs):
    fake_jobs("lingering")
    run = started(store, plain, supervisor)
    (run.folder / "go").touch()
    ticks(supervisor, lambda: store.status(run.id).state == "finished")
    status = store.status(run.id)
    store.delete(run.id)
    waiting = store.create(plain)
    ticks(supervisor, lambda: store.status(waiting.id).phase == "train")
    assert start_mark(status.pid) != status.started, "its process is gone"
    check_aftermath(store.settings, [waiting.id], tick=supervisor.tick)


@pytest.mark.parametrize("lives", [True, False])
def test_a_status_that_is_lost_is_told_again(store, plain, supervisor, fake_jobs, lives):
    """As a power cut leaves it: an empty file where the heartbeat was written last."""
    fake_jobs("obedient")
    run = started(store, plain, supervisor)
    status = store.status(run.id)
    if not lives:
        os.killpg(status.pid, signal.SIGKILL)
        until(lambda: start_mark(status.pid) is None)
    (run.folder / "status.json").write_bytes(b"")
    assert store.status(run.id).state == ("running" if lives else "failed")
    ticks(supervisor, lambda: read_json(run.folder / "status.json"))
    after = store.status(run.id)
    if lives:
        assert after == status.with_changes(heartbeat=after.heartbeat, memory_mb=after.memory_mb)
    else:
        assert after.sentence.startswith("its status.json was lost: resume it")
    check_aftermath(store.settings, [run.id], tick=supervisor.tick)
    if not lives:
        store.requeue(run.id)
    (run.folder / "go").touch()
    ticks(supervisor, lambda: store.written_status(run.id).state == "finished")
    (run.folder / "status.json").unlink()
    ticks(supervisor, lambda: store.written_status(run.id))
    assert store.status(run.id).state == "finished" and store.status(run.id).progress == 1
    check_aftermath(store.settings, [run.id], tick=supervisor.tick)

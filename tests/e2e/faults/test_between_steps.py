"""Who looks after the home dies, or is disturbed, between two of its steps."""

import os
import signal
import time

from mtlab.errors import NotAvailable
from mtlab.runs import supervisor as supervisor_module
from mtlab.runs.supervisor import Supervisor
from tests.e2e.faults.aftermath import check_aftermath
from tests.e2e.faults.conftest import QUICK
from tests.e2e.faults.test_confused_facts import started, ticks
from tests.real_runs import until


def long_ago(path):
    os.utime(path, (time.time() - 7200,) * 2)


def test_what_was_left_half_made_or_half_removed_is_cleared_away(store, plain, supervisor):
    run = store.create(plain)
    gone, old, young = (store.settings.runs / name for name in (".gone-a", ".new-b", ".new-c"))
    for folder in (gone, old, young):
        folder.mkdir()
        (folder / "spec.json").touch()
    long_ago(old)
    supervisor.tick()
    assert not gone.exists() and not old.exists()
    assert young.exists(), "somebody may be at work on it"
    check_aftermath(store.settings, [run.id], tick=supervisor.tick)


def test_what_was_half_written_goes_with_the_next_attempt(store, plain, supervisor, fake_jobs):
    fake_jobs("quick")
    run = store.create(plain)
    old, young = (run.folder / f".status.json.{name}.tmp" for name in "ab")
    for path in (old, young):
        path.touch()
    long_ago(old)
    ticks(supervisor, lambda: store.status(run.id).state == "finished")
    assert not old.exists() and young.exists()


def test_a_launcher_killed_between_claiming_and_launching(
    store, plain, supervisor, fake_jobs, monkeypatch
):
    """Whatever it had come to: the index says running, the status says so, nothing was started."""
    fake_jobs("quick")
    early, late, stopped = (store.create(plain) for _ in range(3))
    for number, run in enumerate((early, late, stopped)):
        device = f"cuda:{number}"
        claimed = store.database.claim((device,), "host:boot", f"token-{number}", bool)
        assert claimed == (run.id, (device,))
    for number, run in enumerate((late, stopped), 1):
        launched = store.written_status(run.id).with_changes(
            state="running", token=f"token-{number}", device=f"cuda:{number}", attempts=1, began=1.0
        )
        store.write_status(run.id, launched)
    store.request_stop(stopped.id)
    with store.database.transaction() as connection:
        connection.execute("UPDATE leases SET heartbeat = 1.0")
    runs = (early, late, stopped)
    ticks(supervisor, lambda: all(store.status(run.id).is_over for run in runs))
    assert [store.status(run.id).state for run in runs] == ["finished", "finished", "stopped"]
    check_aftermath(store.settings, [run.id for run in runs], tick=supervisor.tick)


def test_a_run_whose_device_was_lost_with_the_index_is_not_started(
    store, plain, supervisor, fake_jobs, monkeypatch
):
    """Another may have been given it: a claim that is in no index any more counts for nothing."""
    fake_jobs("quick")
    run = store.create(plain)
    write_status = store.write_status

    def lose_the_index(name, status, **options):
        if status.state == "running":
            monkeypatch.setattr(store, "write_status", write_status)
            store.database.drop("cpu", status.token)
        write_status(name, status, **options)

    monkeypatch.setattr(store, "write_status", lose_the_index)
    supervisor.tick()
    assert store.status(run.id).state == "queued"
    ticks(supervisor, lambda: store.status(run.id).state == "finished")
    assert store.status(run.id).attempts == 1
    check_aftermath(store.settings, [run.id], tick=supervisor.tick)


def test_a_run_that_cannot_be_attended_holds_up_no_other(
    store, plain, home, fake_jobs, monkeypatch
):
    fake_jobs("obedient")
    monkeypatch.setattr(supervisor_module, "allowed_devices", lambda _: ("cuda:0", "cuda:1"))
    pair = Supervisor(store, home, patience=QUICK)
    bad = started(store, plain, pair)
    good, waiting = started(store, plain, pair), store.create(plain)
    write_status = store.write_status

    def refuse(run, status, **options):
        if run == bad.id:
            raise OSError(28, "No space left on device")
        write_status(run, status, **options)

    monkeypatch.setattr(store, "write_status", refuse)
    os.killpg(store.status(bad.id).pid, signal.SIGKILL)
    (good.folder / "go").touch()
    problems = []

    def goes_on():
        try:
            pair.tick()
        except (NotAvailable, OSError) as error:
            problems.append(error)
        return store.status(waiting.id).phase == "train"

    until(goes_on)
    assert store.status(good.id).state == "finished" and problems
    assert store.status(bad.id).state == "failed", "who looks sees it, though it cannot be written"
    monkeypatch.setattr(store, "write_status", write_status)
    ticks(pair, lambda: store.written_status(bad.id).state == "failed")
    pair.stop()
    check_aftermath(home, [bad.id, good.id, waiting.id])

"""`lab.db` deleted, truncated or overwritten while a run lives and another waits."""

import errno
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from mtlab.errors import NotAvailable
from mtlab.runs.database import Database
from mtlab.runs.store import RunStore
from tests.e2e.faults.aftermath import check_aftermath
from tests.real_runs import until


def delete(path):
    for one in path.parent.glob("lab.db*"):
        one.unlink()


def delete_alone(path):
    path.unlink()


def empty(path):
    path.write_bytes(b"")


def cut(path):
    path.write_bytes(path.read_bytes()[:5000])


def overwrite(path):
    path.write_bytes(b"no database at all\n" * 500)


def spoil_the_middle(path):
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)
    path.write_bytes(data)


@pytest.mark.parametrize("damage", [delete, delete_alone, empty, cut, overwrite, spoil_the_middle])
def test_the_index_is_made_again_and_nothing_is_lost(store, plain, supervisor, fake_jobs, damage):
    fake_jobs("obedient")
    run, waiting = store.create(plain), store.create(plain, priority=-1)
    ticks(supervisor, lambda: store.status(run.id).phase == "train")
    with sqlite3.connect(store.database.path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    damage(store.database.path)
    ticks(supervisor, lambda: run.id in store.database.states())
    assert store.status(run.id).state == "running"
    assert store.status(waiting.id).state == "queued", "the device is still held"
    check_aftermath(store.settings, [run.id, waiting.id], tick=supervisor.tick)
    (run.folder / "go").touch()
    ticks(supervisor, lambda: store.status(waiting.id).state == "running")
    assert store.status(run.id).state == "finished"
    assert store.status(run.id).attempts == 1
    check_aftermath(store.settings, [run.id, waiting.id], tick=supervisor.tick)


def ticks(supervisor, holds):
    def check():
        try:
            supervisor.tick()
            return holds()
        except NotAvailable as error:
            assert "damaged and was set aside" in str(error)
            return False

    until(check)


def test_many_who_meet_the_damage_make_it_again_once(store, plain, home, monkeypatch):
    runs = [store.create(plain).id for _ in range(3)]
    delete(store.database.path)
    overwrite(store.database.path)
    stores = [RunStore(home) for _ in range(8)]
    all_have_met_it = threading.Barrier(8)
    set_aside = Database._set_aside

    def set_aside_together(database):
        all_have_met_it.wait(60)
        set_aside(database)

    monkeypatch.setattr(Database, "_set_aside", set_aside_together)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda one: one.database.claim(("cpu",), "host", "t", bool), stores))
    assert sorted(found, key=str) == [(runs[0], ("cpu",)), *[None] * 7], "one device, one run"
    assert len(list(home.home.glob("lab.db.damaged-*"))) == 1


def test_a_damaged_index_that_cannot_be_set_aside(store, plain, monkeypatch):
    """In a home that cannot be written: it is read all the same, and says what it cannot do."""
    run = store.create(plain).id
    overwrite(store.database.path)

    def refused(database):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Database, "_set_aside", refused)
    assert store.database.states() == {run: "queued"}
    with pytest.raises(NotAvailable, match="set MTLAB_HOME to a folder you may write to"):
        store.request_stop(run)


def test_who_opens_a_home_while_another_makes_its_index_waits(home):
    """Switching a database to its log is a step for which SQLite itself waits for nobody."""
    store = RunStore(home)
    busy = sqlite3.connect(home.home / "lab.db", isolation_level=None, check_same_thread=False)
    busy.execute("CREATE TABLE first (x)")
    busy.execute("BEGIN IMMEDIATE")
    release = threading.Timer(0.3, busy.commit)
    release.start()
    assert store.database.states() == {}
    with store.database.transaction() as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    release.join()
    busy.close()


NEWCOMER = """
import sys
from mtlab.runs.store import RunStore
from mtlab.settings import Settings
settings = Settings.from_environment()
sys.stdin.readline()
with RunStore(settings).database.transaction() as connection:
    print(connection.execute("SELECT count(*) FROM runs").fetchone()[0])
"""


def test_many_may_open_an_empty_home_at_the_same_instant(home):
    crowd = [
        subprocess.Popen(
            [sys.executable, "-c", NEWCOMER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _ in range(4)
    ]
    for one in crowd:
        one.stdin.write("\n")
    for one in crowd:
        one.stdin.flush()
    assert [one.communicate()[0] for one in crowd] == ["0\n"] * 4

"""The store: folders are the truth, the index can always be made again from them."""

import errno
import json
import os
import re
import shutil
import sqlite3
import stat
import threading
from dataclasses import replace
from types import SimpleNamespace

import pytest

from mtlab.errors import InputError, NotAvailable
from mtlab.runs import files
from mtlab.runs.database import Lease
from mtlab.runs.database_file import MIGRATIONS
from mtlab.runs.store import RunStore


def test_a_run_is_created_whole(store, spec):
    record = store.create(spec.with_changes(name="first"))
    assert {path.name for path in record.folder.iterdir()} == {
        "spec.json",
        "status.json",
        "provenance.json",
    }
    assert record.name == "first"
    assert store.get(record.id) == record == store.get(record.id[:17])
    assert store.status(record.id).state == "queued"
    assert store.database.queue() == [record.id]
    provenance = json.loads((record.folder / "provenance.json").read_text())
    assert provenance["command"].startswith("mtlab run")
    again = RunStore(store.settings)
    assert again.get(record.id).spec == spec.with_changes(name="first")


def test_a_full_disk_leaves_no_half_a_run(store, spec, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("mtlab.runs.creating.write_json", full)
    with pytest.raises(NotAvailable, match=r"is full.*free some space"):
        store.create(spec)
    assert os.listdir(store.settings.runs) == []
    assert store.list() == []


@pytest.mark.parametrize(
    ("run", "words"),
    [
        ("20990101-000000-0000", "there is no run"),
        ("../../etc", "there is no run"),
        ("", "there is no run"),
        ("2", "begins the ids of 2 runs"),
    ],
)
def test_an_id_that_names_no_run(store, spec, run, words):
    store.create(spec)
    store.create(spec)
    with pytest.raises(InputError, match=words):
        store.get(run)


def test_runs_are_listed_newest_first_and_damaged_ones_left_out(store, spec):
    ids = [store.create(spec).id for _ in range(3)]
    assert {record.id for record in store.list()} == set(ids)
    assert [record.id for record in store.list()] == sorted(ids, reverse=True)
    broken = store.settings.runs / "20200101-000000-dead"
    broken.mkdir()
    (broken / "spec.json").write_text('{"size": ')
    (store.settings.runs / "notes").mkdir()
    assert len(store.list()) == 3


@pytest.mark.parametrize("damage", ["removed", "empty", "garbage", "cut"])
def test_the_index_is_made_again_from_the_folders(store, spec, damage):
    ids = [store.create(spec).id for _ in range(3)]
    path = store.settings.home / "lab.db"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    data = path.read_bytes()
    for name in ("lab.db", "lab.db-wal", "lab.db-shm"):
        (store.settings.home / name).unlink(missing_ok=True)
    if damage != "removed":
        path.write_bytes(
            {"empty": b"", "garbage": b"no database at all\n" * 300, "cut": data[:5000]}[damage]
        )
    assert sorted(store.database.queue()) == sorted(ids)
    assert store.index.rebuild() == 3


def test_the_schema_is_this_one(store):
    assert len(MIGRATIONS) == 3, "write the new schema down here as well"
    with store.database.transaction() as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (3,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        columns = {
            table: [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
            for table in ("runs", "leases")
        }
    assert columns == {
        "runs": ["id", "state", "created", "queued", "priority", "device", "devices"],
        "leases": ["name", "run", "pid", "started", "token", "host", "taken", "heartbeat"],
    }


@pytest.mark.parametrize("version", range(len(MIGRATIONS) + 1))
def test_a_home_of_any_older_schema_is_migrated_in_order(store, spec, home, version):
    runs = [store.create(spec, priority=priority).id for priority in (0, 5, 0)]
    order = store.database.queue()
    with store.database.reading() as connection:
        final = schema(connection)
    for path in home.home.glob("lab.db*"):
        path.unlink()
    connection = sqlite3.connect(home.home / "lab.db")
    for step in MIGRATIONS[:version]:
        connection.executescript(step)
    connection.execute(f"PRAGMA user_version = {version}")
    if version:
        for place, run in enumerate(runs):
            connection.execute(
                "INSERT INTO runs (id, state, created, queued, priority) VALUES (?, ?, ?, ?, ?)",
                (run, "queued", 1.0, place, 5 if place == 1 else 0),
            )
    connection.commit()
    connection.close()
    again = RunStore(home)
    assert again.database.queue() == order and len(again.list()) == 3
    with again.database.reading() as connection:
        assert schema(connection) == final


def schema(connection):
    """Every table and index as it was made, and the version."""
    rows = connection.execute("SELECT name, tbl_name FROM sqlite_master ORDER BY name").fetchall()
    tables = sorted({table for _, table in rows})
    return rows, {t: connection.execute(f"PRAGMA table_info({t})").fetchall() for t in tables}


def test_a_home_of_a_later_mtlab_is_left_alone(store, spec, home):
    run = store.create(spec).id
    with store.database.transaction() as connection:
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    with pytest.raises(NotAvailable, match="written by a later mtlab: update mtlab"):
        store.create(spec)
    assert [record.id for record in store.list()] == [run]


def test_a_full_queue_is_said(spec, home):
    store = RunStore(replace(home, max_queued=3))
    runs = [store.create(spec) for _ in range(3)]
    with pytest.raises(NotAvailable, match="the queue is full: 3 runs wait, and one more would"):
        store.create(spec)
    store.request_stop(runs[0].id)
    assert store.create(spec) and len(store.list()) == 4


def test_the_queue_goes_by_priority_then_age(store, spec):
    low, high, later = (store.create(spec, priority=p).id for p in (0, 5, 0))
    assert store.database.queue() == [high, low, later]


def test_a_device_is_taken_once_with_one_run(store, spec):
    for _ in range(4):
        store.create(spec)
    taken = []
    threads = [
        threading.Thread(
            target=lambda n=n: taken.append(
                store.database.claim(("cpu",), "host", f"token-{n}", bool)
            )
        )
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([run for run in taken if run]) == 1
    store.database.drop("cpu", "another token")
    assert len(store.database.leases()) == 1


def test_a_lease_is_taken_over_only_from_the_dead(store):
    first, second = Lease("supervisor", "h", pid=1), Lease("supervisor", "h", pid=2)
    assert store.database.take(first, lambda held: False)
    assert store.database.take(first, lambda held: False), "renewed"
    assert not store.database.take(second, lambda held: False)
    assert store.database.take(second, lambda held: held.pid == 1)


def test_stopping_a_queued_run_stops_it_at_once(store, spec):
    run = store.create(spec).id
    store.request_stop(run)
    assert store.status(run).state == "stopped"
    assert store.database.queue() == []
    with pytest.raises(InputError, match="already stopped"):
        store.request_stop(run)
    store.requeue(run)
    assert store.database.queue() == [run]
    with pytest.raises(InputError, match="is queued"):
        store.requeue(run)
    store.request_stop(run, keep=False)
    assert store.list() == []


def test_deleting(store, spec):
    run = store.create(spec).id
    store.delete(run)
    assert store.list() == [] and store.database.states() == {}
    with pytest.raises(InputError, match="there is no run"):
        store.delete(run)


def test_what_is_done_by_hand_to_the_folders_reaches_the_index(store, spec):
    gone, copied = store.create(spec), store.create(spec)
    copy = store.settings.runs / "20200101-000000-beef"
    shutil.copytree(copied.folder, copy)
    status = json.loads((copy / "status.json").read_text())
    (copy / "status.json").write_text(json.dumps({**status, "id": copy.name}))
    shutil.rmtree(gone.folder)
    store.index.synchronise()
    assert set(store.database.states()) == {copied.id, copy.name}
    with pytest.raises(InputError, match="there is no run"):
        store.status(gone.id)
    with pytest.raises(InputError, match="there is no run"):
        store.events(gone.id)


def test_a_status_of_a_later_version_is_read(store, spec):
    run = store.create(spec)
    path = run.folder / "status.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "mood": "good"}))
    assert store.status(run.id).state == "queued"


def test_a_home_that_cannot_be_made(tmp_path, home, monkeypatch):
    def refused(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(type(home.runs), "mkdir", refused)
    with pytest.raises(NotAvailable, match="MTLAB_HOME"):
        RunStore(home)
    assert stat.S_ISDIR(os.stat(tmp_path).st_mode) and files.FULL


@pytest.mark.parametrize(
    ("text", "free", "says"),
    [
        ("database or disk is full", 10**9, "is full: free some space, then try again"),
        ("disk I/O error", 0, "is full: free some space, then try again"),
        ("disk I/O error", 10**9, "cannot be written (disk I/O error): check its disk"),
        ("attempt to write a readonly database", 10**9, "to a folder you may write to"),
    ],
)
def test_an_index_that_cannot_be_written_says_why(store, spec, monkeypatch, text, free, says):
    run = store.create(spec).id
    usage = SimpleNamespace(free=free)
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)

    def refuse(*_):
        raise sqlite3.OperationalError(text)

    monkeypatch.setattr(store.database, "_open", refuse)
    with pytest.raises(NotAvailable, match=re.escape(says)):
        store.request_stop(run)
    assert store.status(run).state == "queued"

"""A home that cannot be written, and one that an earlier version of mtlab wrote."""

import ctypes
import json
import os
import sqlite3
import subprocess
import sys

import pytest

from mtlab import Lab
from mtlab.runs.database_file import MIGRATIONS
from mtlab.runs.store import RunStore
from mtlab.settings import Settings
from tests.e2e.faults.aftermath import check_aftermath
from tests.e2e.faults.conftest import ROOT
from tests.e2e.faults.test_confused_facts import ticks
from tests.finished_runs import finished_run

_PR_CAPBSET_DROP, _CAP_DAC_OVERRIDE = 24, 1


def without_privilege():
    """Heed permissions although the tests may run as root."""
    if os.geteuid() == 0:
        ctypes.CDLL(None).prctl(_PR_CAPBSET_DROP, _CAP_DAC_OVERRIDE, 0, 0, 0)


@pytest.fixture(scope="module")
def frozen(tmp_path_factory):
    """The ids of a finished, a stopped and a queued run in a home that nobody may write."""
    home = Settings.from_environment({"MTLAB_HOME": str(tmp_path_factory.mktemp("frozen"))})
    store = RunStore(home)
    ids = {"finished": finished_run(store, {"de-en": 0.2}, segments=4).id}
    spec = store.get(ids["finished"]).spec
    for state in ("stopped", "queued"):
        ids[state] = store.create(spec).id
    store.request_stop(ids["stopped"])
    folders = [home.home, *(path for path in home.home.rglob("*") if path.is_dir())]
    for folder in folders:
        folder.chmod(0o555)
    yield home, ids
    for folder in folders:
        folder.chmod(0o755)


COMMANDS = """
import contextlib, io, json, sys
from mtlab.cli import main
for words in json.load(sys.stdin):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main(words)
    print(json.dumps([status, out.getvalue(), err.getvalue()]))
"""


def unprivileged(home, program, given=""):
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "MTLAB_HOME": str(home.home), "PYTHONPATH": str(ROOT)},
        preexec_fn=without_privilege,
        input=given,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr
    return done.stdout.splitlines()


def mtlab(home, *commands):
    """Each command's status, what it printed, and what it complained of."""
    return [json.loads(line) for line in unprivileged(home, COMMANDS, json.dumps(commands))]


def test_a_home_that_cannot_be_written_is_read_and_takes_nothing(frozen):
    home, ids = frozen
    listed, queue, shown, *refused = mtlab(
        home,
        ("runs", "list", "--json"),
        ("runs", "queue", "--json"),
        ("runs", "show", ids["finished"], "--json"),
        ("run", "--train", "de-en", "--size", "4"),
        ("runs", "stop", ids["queued"]),
        ("runs", "resume", ids["stopped"]),
        ("runs", "delete", ids["finished"]),
        ("runs", "move", ids["queued"], "front"),
        ("runs", "rebuild"),
    )
    assert [status for status, _, _ in (listed, queue, shown)] == [0, 0, 0]
    rows = json.loads(listed[1].splitlines()[-1])["runs"]
    assert {row["id"] for row in rows} == set(ids.values())
    assert ids["queued"] in queue[1] and ids["stopped"] not in queue[1]
    assert json.loads(shown[1].splitlines()[-1])["scores"]["de-en"]["bleu"]["n"] == 4
    for status, _, said in refused:
        [line] = said.splitlines()
        assert status == 1 and line.startswith("mtlab: ") and "cannot be written" in line
        assert line.endswith(": set MTLAB_HOME to a folder you may write to.")


WATCHER = """
import time
from mtlab import Lab
lab = Lab()
lab.supervise()
while lab.supervisor.problem is None:
    time.sleep(0.02)
print(lab.supervisor.problem)
"""


def test_who_looks_after_it_says_why_it_cannot_and_starts_nothing(frozen):
    home, ids = frozen
    [said] = unprivileged(home, WATCHER)
    assert said.endswith(": set MTLAB_HOME to a folder you may write to.")
    assert Lab(home).run(ids["queued"]).status().state == "queued"


OLD_FIELDS = (
    "id", "state", "phase", "progress", "detail", "pid", "started", "token", "device",
    "heartbeat", "error", "ending", "seconds", "attempts", "since", "memory_mb", "created",
    "began", "ended",
)  # fmt: skip


def test_a_home_of_the_version_before_is_taken_over(home, plain, supervisor, fake_jobs):
    """Its queue goes on in its order; a run whose process is gone is no ghost; nothing is lost."""
    fake_jobs("patient")
    store = supervisor.store
    ids = [store.create(plain).id for _ in range(4)]
    dead, first, second, over = ids
    states = {dead: "running", first: "queued", second: "queued", over: "finished"}
    for number, (run, state) in enumerate(states.items()):
        path = home.runs / run / "status.json"
        now = json.loads(path.read_text())
        old = {name: now[name] for name in OLD_FIELDS} | {"state": state, "created": 100.0 + number}
        if state == "running":
            old |= {"pid": 2**22 + 1, "started": "gone:1", "token": "mtlab-gone", "device": "cpu"}
        path.write_text(json.dumps(old))
    for path in home.home.glob("lab.db*"):
        path.unlink()
    connection = sqlite3.connect(home.home / "lab.db")
    for step in MIGRATIONS[:-1]:
        connection.executescript(step)
    connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) - 1}")
    for number, (run, state) in enumerate(states.items()):
        row = (run, state, 100.0 + number, 100.0 + number)
        connection.execute("INSERT INTO runs (id, state, created, queued) VALUES (?, ?, ?, ?)", row)
    connection.execute(
        "INSERT INTO leases VALUES ('cpu', ?, NULL, NULL, 'mtlab-gone', 'host:boot', 1.0, 1.0)",
        (dead,),
    )
    connection.commit()
    connection.close()

    assert store.database.queue() == [first, second]
    ticks(supervisor, lambda: store.status(first).phase == "train")
    assert store.written_status(dead).state == "failed"
    assert [store.status(run).state for run in (second, over)] == ["queued", "finished"]
    check_aftermath(home, ids, tick=supervisor.tick)
    store.requeue(dead)
    assert store.database.queue() == [second, dead]

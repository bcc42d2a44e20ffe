"""A process that stands ready for the next run: kept, used, ended, and never mistaken."""

import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from mtlab.runs import ready as ready_module
from mtlab.runs.identity import TOKEN_VARIABLE, ProcessIdentity, find_by_token, start_mark
from mtlab.runs.ready import Ready

# What the job does, without the seconds that loading torch takes.
JOB = (
    sys.executable,
    "-c",
    "import os, sys, time\n"
    "line = sys.stdin.readline()\n"
    "if line:\n"
    "    open(os.path.join(line.strip(), 'came'), 'w').write(os.environ['WHO'])\n"
    "    time.sleep(60)",
)
OWN = {"WHO": "me", "PATH": os.environ["PATH"]}


@pytest.fixture
def pid_of(until):
    """The process with a token, once it is there: it takes a moment to become itself."""

    def found(token):
        until(lambda: find_by_token(token) is not None)
        return find_by_token(token).pid

    return found


@pytest.fixture
def ready(home):
    home.home.mkdir()
    made = Ready(replace(home, spare_minutes=10))
    yield made
    made.end()


def kept(ready):
    ready.expect("cpu", OWN)
    ready.tend(JOB, "idle")
    token = ready.token_for("cpu")
    assert token is not None
    return token


def gone(pid):
    return start_mark(pid) is None


def test_none_is_kept_unless_somebody_is_about_to_launch(ready, home):
    ready.tend(JOB, "idle")
    assert ready.token_for("cpu") is None
    ready.expect("cpu", OWN)
    ready.tend(JOB, "busy")
    assert ready.token_for("cpu") is None
    never = Ready(replace(home, spare_minutes=0))
    never.expect("cpu", OWN)
    never.tend(JOB, "idle")
    assert never.token_for("cpu") is None


def test_none_is_kept_where_memory_is_short(ready, monkeypatch):
    monkeypatch.setattr(ready_module, "free_main_memory", lambda: 2**30)
    ready.expect("cpu", OWN)
    ready.tend(JOB, "idle")
    assert ready.token_for("cpu") is None


def test_it_becomes_the_run_and_is_known_by_its_token(ready, tmp_path, until):
    token = kept(ready)
    ready.tend(JOB, "idle")
    assert ready.token_for("cpu") == token and ready.token_for("cuda:0") is None
    process = ready.become(tmp_path, token, OWN)
    assert process is not None
    try:
        until((tmp_path / "came").exists)
        found = find_by_token(token)
        assert found is not None and found.pid == process.pid and os.getsid(found.pid) == found.pid
        assert found.is_alive() and found.group() == [process.pid]
        given = Path(f"/proc/{process.pid}/environ").read_bytes().split(b"\0")
        assert f"{TOKEN_VARIABLE}={token}".encode() in given and b"WHO=me" in given
        assert ready.token_for("cpu") is None
        ready.end()  # which is another's by now
        assert ProcessIdentity(process.pid, found.started, token).is_alive()
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.mark.parametrize(
    "other", [{**OWN, "HF_TOKEN": "hf_x"}, {"WHO": "me"}, {**OWN, "WHO": "you"}]
)
def test_a_run_that_is_given_another_environment_gets_its_own(ready, tmp_path, pid_of, other):
    token = kept(ready)
    pid = pid_of(token)
    assert ready.become(tmp_path, token, other) is None
    assert gone(pid) and find_by_token(token) is None and not (tmp_path / "came").exists()


def test_of_another_runs_token_it_does_nothing(ready, tmp_path):
    token = kept(ready)
    assert ready.become(tmp_path, "mtlab-other", OWN) is None
    assert ready.token_for("cpu") == token


def test_one_that_has_died_is_not_used_and_not_replaced_for_ever(ready, tmp_path, until, pid_of):
    token = kept(ready)
    pid = pid_of(token)
    os.kill(pid, signal.SIGKILL)
    until(lambda: ready.token_for("cpu") is None)
    assert ready.become(tmp_path, token, OWN) is None
    token = kept(ready)
    os.kill(pid_of(token), signal.SIGKILL)
    until(lambda: ready.token_for("cpu") is None)
    ready.tend(JOB, "idle")
    ready.tend(JOB, "idle")
    assert ready.token_for("cpu") is None  # until somebody looks at the form again
    assert kept(ready) != token


def test_it_ends_when_nobody_has_asked_for_long(ready, monkeypatch, pid_of):
    token = kept(ready)
    pid = pid_of(token)
    later = ready_module.time.monotonic() + 601
    monkeypatch.setattr(ready_module.time, "monotonic", lambda: later)
    ready.tend(JOB, "idle")
    assert ready.token_for("cpu") is None and gone(pid)


def test_it_ends_when_its_pipe_closes(ready, until, pid_of):
    token = kept(ready)
    pid = pid_of(token)
    ready._spare.process.stdin.close()  # as the system does when the app is killed
    until(lambda: find_by_token(token) is None)
    assert ready._spare.process.wait() == 0 and gone(pid)


def test_one_that_is_not_as_the_next_run_needs_it_is_replaced(ready, tmp_path, pid_of):
    token = kept(ready)
    pid = pid_of(token)
    other = {**OWN, "HF_TOKEN": "hf_x"}
    ready.expect("cpu", other)
    ready.tend(JOB, "busy")
    assert gone(pid) and ready.token_for("cpu") is None
    ready.tend(JOB, "idle")
    fresh = ready.token_for("cpu")
    assert fresh not in (None, token)
    ready.tend(JOB, "idle")
    assert ready.token_for("cpu") == fresh  # it is as it is wanted

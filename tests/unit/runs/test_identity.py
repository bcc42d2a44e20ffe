"""A process is its pid, its start and its token; signals reach its group and nothing else."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from mtlab.runs.identity import ProcessIdentity, find_by_token, new_token, start_mark
from mtlab.runs.recovering import process_of

SLEEP = "import subprocess, sys, time\n{}time.sleep(600)"
CHILD = "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']); "


@pytest.fixture
def process():
    started = []

    def start(token, code=""):
        child = subprocess.Popen(
            [sys.executable, "-c", SLEEP.format(code), token],
            start_new_session=True,
            env={**os.environ, "MTLAB_RUN_TOKEN": token},
        )
        started.append(child)
        return child

    yield start
    for child in started:
        try:
            os.killpg(child.pid, signal.SIGKILL)
        except OSError:
            pass
        child.wait(timeout=10)


def test_a_living_process_is_known_by_all_three(process, until):
    token = new_token()
    child = process(token)
    until(lambda: find_by_token(token))
    identity = find_by_token(token)
    assert identity.pid == child.pid and identity.is_alive()
    assert not replace(identity, started="another:1").is_alive()
    assert not replace(identity, token=new_token()).is_alive()
    assert find_by_token(new_token()) is None


def test_a_process_that_becomes_another_program_lives_on(tmp_path):
    token = new_token()
    script = tmp_path / "again.sh"
    script.write_text('[ "$1" -lt 300 ] && exec sh "$0" $(($1 + 1)) "$2"\nread line\n')
    child = subprocess.Popen(["sh", script, "0", token], stdin=subprocess.PIPE)
    identity = ProcessIdentity(child.pid, start_mark(child.pid), token)
    last = b"\0".join([b"300", token.encode()])
    command = Path(f"/proc/{child.pid}/cmdline")
    while last not in command.read_bytes():
        assert identity.is_alive()
    child.kill()
    child.wait(timeout=10)
    assert not identity.is_alive()


def test_a_reused_pid_is_not_signalled(process, until):
    token = new_token()
    child = process(token)
    until(lambda: find_by_token(token))
    stranger = ProcessIdentity(child.pid, start_mark(child.pid), new_token())
    assert not stranger.signal_group(signal.SIGKILL)
    assert child.poll() is None


def test_a_zombie_is_dead(process):
    child = process(new_token())
    mark = start_mark(child.pid)
    assert mark
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert start_mark(child.pid) is None
    assert not ProcessIdentity(child.pid, mark, None).is_alive()


def test_a_signal_ends_the_whole_group(process, until):
    token = new_token()
    child = process(token, CHILD)
    identity = ProcessIdentity(child.pid, start_mark(child.pid), token)
    until(lambda: len(identity.group()) == 2)
    child.kill()
    child.wait()
    assert not identity.is_alive()
    assert len(identity.group()) == 1, "what it started lives on and is still known as its own"
    assert identity.signal_group(signal.SIGKILL)
    until(lambda: not identity.group())


def test_nobody_signals_themselves():
    token = new_token()
    assert not ProcessIdentity(os.getpid(), None, token).signal_group(signal.SIGKILL)
    assert not ProcessIdentity(0, None, token).signal_group(signal.SIGKILL)
    assert ProcessIdentity.of_this_process().is_alive()


def test_a_process_is_found_by_the_folder_it_works_in(tmp_path):
    folder, other = tmp_path / "run", tmp_path / "other"
    folder.mkdir()
    other.mkdir()
    (tmp_path / "link").symlink_to(folder)
    token = new_token()
    code = "import os, sys, time; print(flush=True); time.sleep(60)"
    started = []

    def start(where, *arguments):
        child = subprocess.Popen(
            [sys.executable, "-c", code, *arguments],
            cwd=where,
            start_new_session=True,
            stdout=subprocess.PIPE,
        )
        started.append(child)
        child.stdout.readline()
        return child

    try:
        start(folder)  # such as a person's shell
        start(other, "--token", new_token())
        assert process_of(folder) is None
        spare = start(folder, "--spare", "--token", token)
        found = process_of(tmp_path / "link")
        assert found is not None and (found.pid, found.token) == (spare.pid, token)
        assert found.is_alive() and found.group() == [spare.pid]
    finally:
        for child in started:
            child.kill()
            child.wait()
            child.stdout.close()

"""A process is its pid, its start and its token; signals reach its group and nothing else."""

import os
import signal
import subprocess
import sys
from dataclasses import replace

import pytest

from mtlab.runs.identity import ProcessIdentity, find_by_token, new_token, start_mark

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

"""Two apps on one home, started at the same instant; one is killed and the other takes over."""

import http.client
import os
import signal
import socket
import subprocess
import sys

import pytest

from mtlab.runs.database import Lease
from mtlab.runs.supervisor import NAME
from tests.e2e.faults.aftermath import check_aftermath
from tests.e2e.faults.conftest import ROOT
from tests.real_runs import until


@pytest.fixture
def app(home, tmp_path):
    """Start the real app on a free port; its log is a file."""
    started = []

    def start():
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        log = tmp_path / f"app-{port}.log"
        with open(log, "w") as file:
            process = subprocess.Popen(
                [sys.executable, str(ROOT / "app.py")],
                env={**os.environ, "HOST": "127.0.0.1", "PORT": str(port)},
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        started.append(process)
        return process, port, log

    yield start
    for process in started:
        process.kill()
        process.wait()


def answers(port):
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("GET", "/config")
        return connection.getresponse().status == 200
    except OSError:
        return False


def acting(store) -> Lease | None:
    return next((lease for lease in store.database.leases() if lease.name == NAME), None)


def test_two_apps_on_one_home(app, home, lab, spec, monkeypatch):
    monkeypatch.setattr(lab.supervisor, "start", lambda: None)  # the apps do it
    pair = [app(), app()]
    for process, port, log in pair:
        until(lambda process=process, port=port: process.poll() is not None or answers(port))
        assert process.poll() is None, log.read_text()
        assert "Traceback" not in log.read_text() and "cannot" not in log.read_text()
    until(lambda: acting(lab.store))
    small = {"score_base": False, "probe_size": 0, "test_limit": 1, "train": ("de-en",)}
    runs = [lab.launch(spec(seed=seed, training={"steps": 2}, **small)) for seed in (0, 1)]
    first, second = (run.id for run in runs)
    until(lambda: runs[0].status().pid)
    assert runs[1].status().state == "queued", "one device, one run"
    [holder] = [process for process, _, _ in pair if process.pid == acting(lab.store).pid]
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    check_aftermath(home, [first, second])
    until(lambda: all(run.status().is_over for run in runs))
    assert [(run.status().state, run.status().attempts) for run in runs] == [("finished", 1)] * 2
    [other] = [process for process, _, _ in pair if process is not holder]
    assert acting(lab.store).pid == other.pid
    check_aftermath(home, [first, second])

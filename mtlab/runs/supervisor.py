"""The supervisor: a thread that gives queued runs a device and sees running ones to their end.

Any process that uses a home may start one; the one that holds the lease `supervisor` in `lab.db`
acts, the others stand by and take over when its process is gone. A run is its own process in its
own session, so it goes on when the supervisor's process ends, and the next one finds it again.
Taking a device is one transaction together with taking the run from the queue, so that even two
supervisors at the same instant never start two runs on one device. Imports no torch.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from pathlib import Path

import mtlab
from mtlab.errors import MtlabError, NotAvailable
from mtlab.runs.attending import Patience, attend
from mtlab.runs.database import Lease
from mtlab.runs.devices import devices, environment_for
from mtlab.runs.files import cannot_write
from mtlab.runs.identity import (
    TOKEN_VARIABLE,
    ProcessIdentity,
    find_by_token,
    new_token,
    start_mark,
    this_host,
)
from mtlab.runs.settling import LAUNCH_SECONDS, is_gone
from mtlab.runs.status import Status
from mtlab.runs.store import RunStore
from mtlab.settings import Settings

NAME = "supervisor"
TICK_SECONDS = 0.5
RENEW_SECONDS = 5.0
SILENT_SECONDS = 60.0
"""A supervisor that has not renewed its lease for so long is passed over, should it hang."""

MOST_LAUNCHES = 3
"""How often a run whose process never came to life is launched before it is called failed."""


class Supervisor:
    """Launches and attends the runs of one home.

    Args:
        store: the home's runs.
        settings: threads and home, handed on to the runs.
        patience: the waiting times of the stop ladder.
    """

    def __init__(
        self, store: RunStore, settings: Settings, *, patience: Patience | None = None
    ) -> None:
        self.store = store
        self.settings = settings
        self.problem: MtlabError | None = None
        """What keeps it from working, such as a full disk; None when all is well."""
        self._patience = patience or Patience()
        self._token = new_token()
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None
        self._renewed = -RENEW_SECONDS
        self._holds = False

    def start(self) -> None:
        """Start the thread, once; it ends with the process or with `stop`."""
        with self._lock:
            if self._thread is not None:
                return
            self._ending.clear()
            self._thread = threading.Thread(target=self._loop, name="mtlab-supervisor", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End the thread and give the lease back. The runs go on."""
        thread = self._thread
        if thread is not None:
            self._ending.set()
            self._wake.set()
            thread.join(timeout=10)
            self._thread = None
        with contextlib.suppress(MtlabError):
            self.store.database.drop(NAME, self._token)
        self._holds, self._renewed = False, -RENEW_SECONDS

    def wake(self) -> None:
        """Look at the queue now rather than at the next tick."""
        self._wake.set()

    def tick(self) -> None:
        """One round: hold the lease, attend what runs, start what can start.

        Raises:
            MtlabError: the home cannot be written.
        """
        if not self._hold_lease():
            return
        self.store.synchronise()
        for lease in self.store.database.leases():
            if lease.name != NAME and lease.run is not None:
                self._attend(lease, lease.run)
        for device in devices():
            self._start_next(device)

    def _loop(self) -> None:
        while not self._ending.is_set():
            try:
                self.tick()
                self.problem = None
            except MtlabError as error:
                self.problem = error
            except OSError as error:
                self.problem = cannot_write(error, self.settings.home)
            except Exception as error:
                # Whatever it was, the next round may go well; the runs must not be left alone.
                traceback.print_exc()
                self.problem = NotAvailable("the queue is not looked after", why=repr(error))
            self._wake.wait(TICK_SECONDS)
            self._wake.clear()

    def _hold_lease(self) -> bool:
        now = time.monotonic()
        if not self._holds or now - self._renewed >= RENEW_SECONDS:
            mine = Lease(NAME, this_host(), None, os.getpid(), start_mark(os.getpid()), self._token)
            self._holds = self.store.database.take(mine, _is_abandoned)
            self._renewed = now
        return self._holds

    def _attend(self, lease: Lease, run: str) -> None:
        """See one run that holds a device a step further, and free the device when it is gone."""
        status = self.store.written_status(run)
        if status is None or status.token != lease.token:
            self._clear_up(lease, run, status)
            return
        child = self._children.get(status.token or "")
        exit_code = child.poll() if child is not None else None
        if exit_code is not None and _members_live(status):
            exit_code = None  # the leader is gone, something it started is not
        if status.state == "running" and status.pid is None and exit_code is None:
            if child is None and is_gone(status):
                self._relaunch(lease, status)
            return
        after = attend(self.store, run, patience=self._patience, exit_code=exit_code)
        if after is None or (after.state != "running" and is_gone(after)):
            self._free(lease, after)

    def _free(self, lease: Lease, status: Status | None) -> None:
        child = self._children.get(lease.token or "")
        if child is not None and child.poll() is not None:
            del self._children[lease.token or ""]
        self.store.database.drop(lease.name, lease.token)
        if status is not None:
            self.store.mend(status.id)

    def _clear_up(self, lease: Lease, run: str, status: Status | None) -> None:
        """A device held for a run whose folder is gone, or that was never started."""
        identity = find_by_token(lease.token) if lease.token else None
        if identity is not None:
            identity.signal_group(signal.SIGKILL)
            return
        if status is None:
            self.store.database.remove(run)
        elif time.time() - lease.heartbeat > LAUNCH_SECONDS:
            self._free(lease, status)

    def _relaunch(self, lease: Lease, status: Status) -> None:
        """Put a run back whose launcher died before the run's process came to life."""
        if status.attempts < MOST_LAUNCHES:
            changes = {"state": "queued", "token": None, "device": None}
            back = status.with_changes(**changes)
        else:
            error = {"what": "the run's process did not start", "why": None, "fix": "resume it"}
            back = status.with_changes(state="failed", error=error, ended=time.time())
        self.store.write_status(status.id, back)
        self._free(lease, back)

    def _start_next(self, device: str) -> None:
        token = new_token()
        run = self.store.database.claim(device, this_host(), token)
        if run is None:
            return
        status = self.store.written_status(run)
        if status is None or status.state != "queued":
            # The index was wrong; the folder is right.
            self.store.database.drop(device, token)
            self.store.mend(run)
            return
        events = self.store.log(run).read()
        launched = status.with_changes(
            state="running",
            token=token,
            pid=None,
            started=None,
            device=device,
            attempts=status.attempts + 1,
            since=events[-1].seq if events else 0,
            began=time.time(),
            heartbeat=time.time(),
        )
        try:
            self.store.write_status(run, launched)
            self._children[token] = launch(self.store.folder(run), token, device, self.settings)
        except OSError as error:
            sentence = cannot_write(error, self.settings.home)
            with contextlib.suppress(OSError):
                self.store.write_status(run, status)
            self.store.database.drop(device, token)
            self.store.mend(run)
            raise sentence from error


def launch(folder: Path, token: str, device: str, settings: Settings) -> subprocess.Popen[bytes]:
    """Start a run's process in its own session, its output in `job.log`.

    Raises:
        OSError: the process or its log cannot be made.
    """
    threads = settings.threads or os.cpu_count() or 1
    root = str(Path(mtlab.__file__).resolve().parent.parent)
    path = os.environ.get("PYTHONPATH")
    environment = {
        **os.environ,
        **environment_for(device),
        "MTLAB_HOME": str(settings.home),
        "PYTHONPATH": f"{root}{os.pathsep}{path}" if path else root,
        "PYTHONUNBUFFERED": "1",
        "OMP_WAIT_POLICY": "PASSIVE",
        "OMP_NUM_THREADS": str(threads),
        "TOKENIZERS_PARALLELISM": "false",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        TOKEN_VARIABLE: token,
    }
    command = [sys.executable, "-m", "mtlab.runs.job", str(folder), "--token", token]
    with open(folder / "job.log", "ab") as log:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=environment,
            start_new_session=True,
        )


def _is_abandoned(lease: Lease) -> bool:
    """Whether the holder of the supervision is gone, or has been silent for too long."""
    if time.time() - lease.heartbeat > SILENT_SECONDS:
        return True
    if lease.host != this_host() or lease.pid is None:
        return False
    return not ProcessIdentity(lease.pid, lease.started, None).is_alive()


def _members_live(status: Status) -> bool:
    if status.pid is None:
        return False
    return bool(ProcessIdentity(status.pid, status.started, status.token).group())

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
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import mtlab
from mtlab.errors import MtlabError, NotAvailable
from mtlab.forecasting.measuring import Measuring
from mtlab.runs.attending import Patience, attend
from mtlab.runs.creating import remove_leftovers
from mtlab.runs.database import Lease
from mtlab.runs.devices import allowed_devices, environment_for
from mtlab.runs.files import cannot_write, remove_torn
from mtlab.runs.holding import Holding
from mtlab.runs.identity import (
    ProcessIdentity,
    find_by_token,
    new_token,
    this_host,
)
from mtlab.runs.job_environment import environment_for_spec, environment_of_job
from mtlab.runs.needs import obstacle, unmet
from mtlab.runs.ready import Ready
from mtlab.runs.settling import LAUNCH_SECONDS, is_gone, mark_attempt, stop_request
from mtlab.runs.status import Status
from mtlab.runs.store import RunStore
from mtlab.settings import TOKEN_VARIABLE, Settings
from mtlab.spec import RunSpec

NAME = "supervisor"
TICK_SECONDS = 0.5

JOB = (sys.executable, "-m", "mtlab.runs.job")
"""What is started for a run, its folder and its token behind it."""

MOST_LAUNCHES = 3
"""How often a run whose process never came to life is launched before it is called failed."""


class Supervisor:
    """Launches and attends the runs of one home.

    Args:
        store: the home's runs.
        settings: threads and home, handed on to the runs.
        patience: the waiting times of the stop ladder.
        on_start: called with a run's id and its device before this process starts it, and soon
            after another process has.
    """

    def __init__(
        self,
        store: RunStore,
        settings: Settings,
        *,
        patience: Patience | None = None,
        on_start: Callable[[str, str], None] | None = None,
    ) -> None:
        self.store = store
        self.settings = settings
        self.problem: MtlabError | None = None
        """What keeps it from working, such as a full disk; None when all is well."""
        self._patience = patience or Patience()
        self._on_start = on_start
        self._told: set[str | None] = set()
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._ready = Ready(settings)
        self._measuring = Measuring(settings)
        self._expected: Mapping[str, str] | None = None
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None
        self._holding = Holding(store.database, NAME)
        self._swept = False

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
        self._ready.end()
        self._measuring.end()
        with contextlib.suppress(MtlabError):
            self._holding.give_back()

    def wake(self) -> None:
        """Look at the queue now rather than at the next tick."""
        self._wake.set()

    def expect(self, spec: RunSpec) -> None:
        """Have a process ready for a run like this one, which somebody is about to launch, and
        this machine measured, if it was not yet.

        The process is kept for `MTLAB_SPARE_MINUTES` after the last word of this, by the supervisor
        that acts, where nothing runs or waits and there is memory for it; of 0 minutes there is
        neither.
        """
        if not self.settings.spare_minutes:
            return
        device = allowed_devices(self.settings)[0]
        own = environment_for_spec(spec.to_json(), os.environ)
        self._expected = environment_of(own, device, self.settings)
        self._ready.expect(device, self._expected)

    def tick(self) -> None:
        """One round: hold the lease, attend what runs, start what can start.

        A run that cannot be attended, such as one in a folder that cannot be written, holds up no
        other.

        Raises:
            MtlabError, OSError: the home, or something in it, cannot be written.
        """
        if not self._holding.holds():
            self._look_on()
            return
        if not self._swept:
            remove_leftovers(self.settings)
            self._swept = True
        self.store.index.synchronise()
        problems: list[MtlabError | OSError] = []
        for lease in _one_each(self.store.database.leases()):
            if lease.name != NAME and lease.run is not None:
                with _noted(problems):
                    self._attend(lease, lease.run)
        for run in self.store.database.runs_in("interrupted"):
            with _noted(problems):
                self.store.go_on(run)  # before another one takes its device
        self._end_hopeless()
        while self._start_next():
            pass
        idle = self.store.database.is_idle(allowed_devices(self.settings))
        self._ready.tend(JOB, "idle" if idle else "busy")
        if self._expected is not None and idle:
            self._measuring.begin(self._expected)
        if problems:
            raise problems[0]

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

    def _look_on(self) -> None:
        """Tell of the runs that the acting supervisor started since the last look."""
        if self._on_start is None:
            return
        leases = [lease for lease in self.store.database.leases() if lease.run is not None]
        for lease in _one_each(leases):
            if lease.token not in self._told:
                devices = [one.name for one in leases if one.token == lease.token]
                self._on_start(str(lease.run), ",".join(devices))
        self._told = {lease.token for lease in leases}

    def _attend(self, lease: Lease, run: str) -> None:
        """See one run that holds a device a step further, and free the device when it is gone."""
        status = self.store.written_status(run)
        if status is None and self.store.folder(run).exists():
            self._find_again(lease, run)
            return
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
            self.store.index.mend(status.id)

    def _find_again(self, lease: Lease, run: str) -> None:
        """See to a run whose status is lost: free its device when its process is gone. Until then
        that writes the status again by itself.
        """
        if find_by_token(lease.token or "") is None:
            self.store.database.drop(lease.name, lease.token)

    def _clear_up(self, lease: Lease, run: str, status: Status | None) -> None:
        """A device held for a run whose folder is gone, or that was never started."""
        identity = find_by_token(lease.token) if lease.token else None
        if identity is not None:
            identity.signal_group(signal.SIGKILL)
            return
        if status is None:
            self.store.database.remove(run)
        elif abs(time.time() - lease.heartbeat) > LAUNCH_SECONDS:  # even by a clock set back
            self._free(lease, status)

    def _relaunch(self, lease: Lease, status: Status) -> None:
        """Put a run back whose launcher died before the run's process came to life."""
        if stop_request(self.store.folder(status.id)) is not None:
            attend(self.store, status.id, exit_code=1)
            return
        if status.attempts < MOST_LAUNCHES:
            changes = {"state": "queued", "token": None, "device": None}
            back = status.with_changes(**changes)
        else:
            error = {"what": "the run's process did not start", "why": None, "fix": "resume it"}
            back = status.with_changes(state="failed", error=error, ended=time.time())
        self.store.write_status(status.id, back)
        self._free(lease, back)

    def _end_hopeless(self) -> None:
        """Fail the queued runs that wait for one which will not finish."""
        for run in self.store.database.queue():
            status = self.store.written_status(run)
            error = obstacle(self.store, status) if status is not None else None
            if error is not None:
                self.store.fail_queued(run, error)

    def _is_ready(self, run: str) -> bool:
        status = self.store.written_status(run)
        return status is None or not unmet(self.store, status)

    def _start_next(self) -> bool:
        """Start the next run that can have the devices it needs; whether there was one."""
        allowed = allowed_devices(self.settings)
        token = self._ready.token_for(allowed) or new_token()
        claimed = self.store.database.claim(allowed, this_host(), token, self._is_ready)
        if claimed is None:
            return False
        run, devices = claimed
        device = ",".join(devices)
        status = self.store.written_status(run)
        if status is None or status.state != "queued":
            # The index was wrong; the folder is right.
            self.store.database.drop(device, token)
            self.store.index.mend(run)
            return True
        events = self.store.log(run).read()
        launched = status.launched(token, this_host(), device, events[-1].seq if events else 0)
        if self._on_start is not None:
            self._told.add(token)
            self._on_start(run, device)
        try:
            self.store.write_status(run, launched)
            remove_torn(self.store.folder(run))
            if not any(lease.token == token for lease in self.store.database.leases()):
                # The index was lost in between: whoever made it again may have given the device.
                self.store.write_status(run, status)
                return False
            mark_attempt(self.store.folder(run), launched.attempts)
            self._children[token] = self._launch(self.store.folder(run), token, device)
        except MtlabError:
            self._take_back(status, device, token)
            raise
        except OSError as error:
            self._take_back(status, device, token)
            raise cannot_write(error, self.settings.home) from error
        return True

    def _take_back(self, status: Status, device: str, token: str) -> None:
        """Let a run that could not be started wait as it did, and free its devices."""
        try:
            self.store.write_status(status.id, status)
        except OSError:
            # Its token stays in the status: what carries it must not pass for the run.
            self._ready.end()
        with contextlib.suppress(MtlabError):  # the next rounds see to what is left
            self.store.database.drop(device, token)
            self.store.index.mend(status.id)

    def _launch(self, folder: Path, token: str, device: str) -> subprocess.Popen[bytes]:
        """Start a run's process, or let the one that stands ready be it."""
        own = environment_of_job(folder, os.environ)
        given = environment_of(own, device, self.settings)
        return self._ready.become(folder, token, given) or launch(
            folder, token, device, self.settings
        )


def launch(
    folder: Path,
    token: str,
    device: str,
    settings: Settings,
    *,
    before: Sequence[str] = (),
    more: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Start a run's process in its own session, its output in `job.log`.

    Args:
        folder: the run's.
        token: tells the process from every other.
        device: the one it may see.
        settings: threads and home, handed on.
        before: a program that becomes the run's process, and its arguments.
        more: variables for the process beside the usual ones.

    Raises:
        OSError: the process or its log cannot be made.
    """
    own = environment_of_job(folder, os.environ)
    environment = {
        **environment_of(own, device, settings),
        TOKEN_VARIABLE: token,
        **(more or {}),
    }
    command = [*before, *JOB, str(folder), "--token", token]
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


def environment_of(own: Mapping[str, str], device: str, settings: Settings) -> dict[str, str]:
    """The variables of a run's process, all but its token.

    Args:
        own: those of this process that it is given.
        device: the one it holds.
        settings: the lab's.
    """
    threads = settings.threads or os.cpu_count() or 1
    root = str(Path(mtlab.__file__).resolve().parent.parent)
    path = os.environ.get("PYTHONPATH")
    return {
        **own,
        **environment_for(device),
        "MTLAB_HOME": str(settings.home),
        "PYTHONPATH": f"{root}{os.pathsep}{path}" if path else root,
        "PYTHONUNBUFFERED": "1",
        "PYTHONFAULTHANDLER": "1",  # a crash in native code says in job.log where it was
        "OMP_WAIT_POLICY": "PASSIVE",
        "OMP_NUM_THREADS": str(threads),
        "TOKENIZERS_PARALLELISM": "false",
        "HF_HUB_DISABLE_TELEMETRY": "1",
    }


def _one_each(leases: Sequence[Lease]) -> list[Lease]:
    """One lease of each attempt: a run may hold several devices."""
    return list(
        {(lease.run, lease.token, lease.run or lease.name): lease for lease in leases}.values()
    )


@contextlib.contextmanager
def _noted(problems: list[MtlabError | OSError]) -> Iterator[None]:
    """Go on after a problem, which is said at the end of the round."""
    try:
        yield
    except (MtlabError, OSError) as error:
        problems.append(error)


def _members_live(status: Status) -> bool:
    if status.pid is None:
        return False
    return bool(ProcessIdentity(status.pid, status.started, status.token).group())

"""The process that attends all runs of a home on one cluster: `python -m mtlab.cluster.watcher
ADDRESS`, with the home in `MTLAB_HOME`.

`mtlab.cluster.clusters` starts it and holds its stdin: when that ends, it ends. It is a process of
its own since Ray ends a process that has lost its cluster. Of several on one home and one cluster
the one that holds the lease acts. It ends by itself when no run is left to attend. What keeps it
from working is one line of JSON on its stdout.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
import traceback
from collections.abc import Sequence

from mtlab.cluster.address import require_ray
from mtlab.cluster.attendance import Attendance, job_name
from mtlab.cluster.far import Jobs, Silent
from mtlab.cluster.namespace import namespace_of
from mtlab.errors import MtlabError, NotAvailable
from mtlab.runs.database import enter
from mtlab.runs.files import cannot_write
from mtlab.runs.holding import Holding
from mtlab.runs.needs import unmet
from mtlab.runs.placement import RAY, Placement, placement_of
from mtlab.runs.settling import stop_request
from mtlab.runs.store import RunStore
from mtlab.settings import Settings

TICK_SECONDS = 0.3
AHEAD = 2
"""How many runs more than there is room for are given to the cluster: one of them starts as soon as
another ends, and a cluster that grows with demand sees the demand."""

STRAYS_SECONDS = 30.0
SLOTS_SECONDS = 5.0
FINISH_SECONDS = 4.0
STOP_SECONDS = 30.0
"""After so long a run that was asked to stop, on a cluster that does not answer, counts as so."""


class Watcher:
    """Attends the runs of a home on one cluster.

    Args:
        store: the home's runs.
        address: the cluster's.
        jobs: the home's jobs on it.
        holding: the lease by which one process at a time watches.
    """

    def __init__(self, store: RunStore, address: str, jobs: Jobs, holding: Holding) -> None:
        self._store = store
        self._address = address
        self._jobs = jobs
        self._holding = holding
        self._threads: dict[str, threading.Thread] = {}
        self._attended: dict[str, Attendance] = {}
        self._slots: dict[Placement, tuple[float, int]] = {}
        self._swept = 0.0

    def tick(self) -> bool:
        """One round; whether there is anything left to attend.

        Raises:
            MtlabError, OSError: the home cannot be written.
        """
        if not self._holding.holds():
            return True
        runs = live_runs(self._store, self._address)
        for run, state in runs.items():
            if state == "interrupted":
                self._store.go_on(run)
        self._threads = {run: one for run, one in self._threads.items() if one.is_alive()}
        self._attended = {run: self._attended[run] for run in self._threads}
        if time.monotonic() - self._swept > STRAYS_SECONDS:
            self._end_strays(list(runs))
        for run, state in runs.items():
            if run in self._threads or (state == "queued" and not self._may_place(run)):
                continue
            if state != "interrupted":
                self._start(run)
        return bool(runs or self._threads)

    def finish(self) -> None:
        """Wait for the attendances of runs that are over: they give their places back."""
        deadline = time.monotonic() + FINISH_SECONDS
        for run, thread in list(self._threads.items()):
            status = self._store.written_status(run)
            if status is None or status.is_over:
                thread.join(max(0.0, deadline - time.monotonic()))

    def _may_place(self, run: str) -> bool:
        status = self._store.written_status(run)
        placement = placement_of(self._store.folder(run))
        if status is None or placement is None or unmet(self._store, status):
            return False
        placed = sum(self._attended[one].has_place for one in self._threads)
        return placed < self._room(placement) + AHEAD

    def _room(self, placement: Placement) -> int:
        known = self._slots.get(placement)
        if known is not None and time.monotonic() - known[0] <= SLOTS_SECONDS:
            return known[1]
        slots = self._jobs.slots(placement)
        self._slots[placement] = (time.monotonic(), slots)
        return slots

    def _start(self, run: str) -> None:
        attendance = Attendance(self._store, run, self._jobs, lambda: self._holding.held)
        thread = threading.Thread(target=self._attend, args=(run,), name=run, daemon=True)
        self._attended[run], self._threads[run] = attendance, thread
        thread.start()

    def _attend(self, run: str) -> None:
        try:
            self._attended[run].attend()
        except Silent:
            pass  # the next round asks again
        except MtlabError as error:
            _say(error)
            time.sleep(STOP_SECONDS / 10)
        except OSError as error:
            _say(cannot_write(error, self._store.settings.home))
            time.sleep(STOP_SECONDS / 10)
        except Exception as error:
            traceback.print_exc()
            _say(NotAvailable(f"run {run} cannot be followed on its cluster", why=repr(error)))
            time.sleep(STOP_SECONDS / 10)  # whatever it was, it may go well then

    def _end_strays(self, runs: Sequence[str]) -> None:
        """End the jobs of runs that were deleted, or ended, while nobody watched."""
        self._swept = time.monotonic()
        statuses = (self._store.written_status(run) for run in runs)
        wanted = {job_name(status) for status in statuses if status is not None}
        for name in self._jobs.names() - wanted:
            if name.rpartition(".")[0] not in self._threads:
                self._jobs.let_go(name)


def live_runs(store: RunStore, address: str) -> dict[str, str]:
    """The runs on a cluster that are not over, with their state, the next one first."""
    found = {}
    for run in store.database.wanting(RAY):
        status = store.written_status(run)
        if status is None or status.is_over:
            continue
        placement = placement_of(store.folder(run))
        if placement is not None and placement.address == address:
            found[run] = str(status.state)
    return found


def end_stopped(store: RunStore, address: str) -> None:
    """End the runs that were asked to stop a while ago on a cluster that does not answer.

    Raises:
        MtlabError: the home cannot be written.
    """
    for run in live_runs(store, address):
        request = stop_request(store.folder(run))
        if request is None or abs(time.time() - request[0]) < STOP_SECONDS:
            continue
        if not request[1]:
            store.discard(run)
            continue
        with store.database.transaction() as connection:
            status = store.written_status(run)
            if status is not None and status.state == "running":
                text = "stopped; its cluster did not answer, so that what came home before is kept"
                store.log(run).append("note", text=text)
                store.log(run).append("end", state="stopped")
                ended = status.with_changes(state="stopped", ended=time.time())
                store.write_status(run, ended)
                enter(connection, ended)


def main(arguments: Sequence[str]) -> int:
    """Watch until nothing is left; returns the exit status."""
    [address] = arguments
    working: list[Watcher] = []
    threading.Thread(target=_end_with_parent, args=(working,), daemon=True).start()
    try:
        store = RunStore(Settings.from_environment())
        holding = Holding(store.database, f"cluster {address}")
        while not holding.holds():
            if not live_runs(store, address):
                return 0
            time.sleep(1.0)
        try:
            watcher = _connected(store, address, holding)
            working.append(watcher)
        except MtlabError:
            end_stopped(store, address)
            holding.give_back()
            raise
        while True:
            try:
                if not watcher.tick():
                    break
            except OSError as error:
                _say(cannot_write(error, store.settings.home))
            time.sleep(TICK_SECONDS)
        holding.give_back()
        _disconnect()
        return 0
    except MtlabError as error:
        _say(error)
        return 3


def _connected(store: RunStore, address: str, holding: Holding) -> Watcher:
    require_ray()
    from mtlab.cluster.connecting import connect
    from mtlab.cluster.ray_jobs import RayJobs

    namespace = namespace_of(store)
    connect(address, namespace)
    return Watcher(store, address, RayJobs(namespace), holding)


def _say(error: MtlabError) -> None:
    print(json.dumps(error.to_json(), ensure_ascii=False), flush=True)


def _end_with_parent(working: Sequence[Watcher]) -> None:
    """End when the process that started this one has: nothing is lost by it."""
    while os.read(0, 1):
        pass
    for watcher in working:
        watcher.finish()
    _disconnect()
    os._exit(0)


def _disconnect() -> None:
    from mtlab.cluster.connecting import disconnect

    disconnect()


if __name__ == "__main__":
    try:
        code = main(sys.argv[1:])
    except Exception as problem:  # a cluster that went away says so in many ways
        traceback.print_exc()
        _say(NotAvailable("the cluster is not watched now", why=str(problem)[:200] or None))
        code = 4
    sys.stdout.flush()
    os._exit(code)  # Ray's own ending would wait for what does not matter any more

"""What must hold after any fault: no lost run, no ghost, no orphan process, no second writer."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path

from mtlab.runs.identity import TOKEN_VARIABLE, ProcessIdentity
from mtlab.runs.status import Status
from mtlab.runs.store import RunStore
from mtlab.runs.supervisor import NAME
from mtlab.settings import Settings
from tests.real_runs import until

_PROC = Path("/proc")


def check_aftermath(
    settings: Settings, runs: Iterable[str], *, tick: Callable[[], None] = lambda: None
) -> None:
    """Look at a home as a newcomer does, once what was under way has come to rest.

    Args:
        settings: of the home.
        runs: the ids of all runs that must be there.
        tick: a round of the supervisor, where no thread or other process does the rounds.
    """
    store = RunStore(settings)

    def is_at_rest() -> bool:
        tick()
        return not orphans(store) and not idle_leases(store)

    until(is_at_rest)
    no_run_is_lost(store, set(runs))
    no_ghost_runs(store)
    nobody_writes_twice(store)


def no_run_is_lost(store: RunStore, runs: set[str]) -> None:
    """Every run is there, with its spec, its status and its place in the index."""
    assert {record.id for record in store.list()} == runs
    statuses = {run: store.status(run) for run in runs}
    assert all(status.id == run for run, status in statuses.items())
    assert set(store.database.states()) == runs
    waiting = {run for run, status in statuses.items() if status.state == "queued"}
    assert set(store.database.queue()) == waiting


def no_ghost_runs(store: RunStore) -> None:
    """What is said to run has a process, and holds a device."""
    held = {lease.run for lease in store.database.leases()}
    for record in store.list():
        status = store.status(record.id)
        if status.state == "running":
            assert _identity(status).is_alive(), f"{record.id} is said to run"
            assert record.id in held, f"{record.id} runs and holds no device"


def nobody_writes_twice(store: RunStore) -> None:
    """No device and no run has two processes, and every log is numbered without a gap."""
    living = {status.token: status for status in map(_status(store), store.list()) if alive(status)}
    devices = [status.device for status in living.values()]
    assert len(devices) == len(set(devices)), "two runs on one device"
    tokens = [token for _, token in processes(store.settings.home)]
    leaders = [token for pid, token in processes(store.settings.home) if os.getpgid(pid) == pid]
    assert len(leaders) == len(set(leaders)), "two processes of one run"
    assert set(tokens) <= set(living)
    for record in store.list():
        numbers = [event.seq for event in store.log(record.id).read()]
        assert numbers == list(range(1, len(numbers) + 1))
        assert numbers == _numbers(record.folder / "events.jsonl"), "two wrote into one log"


def orphans(store: RunStore) -> list[int]:
    """Processes of runs of this home that no run knows as its own."""
    known = {status.token for status in map(_status(store), store.list()) if alive(status)}
    return [pid for pid, token in processes(store.settings.home) if token not in known]


def idle_leases(store: RunStore) -> list[str]:
    """Devices that are held for nothing that runs."""
    leases = [lease for lease in store.database.leases() if lease.name != NAME]
    running = {record.id for record in store.list() if store.status(record.id).state == "running"}
    return [lease.name for lease in leases if lease.run not in running]


def processes(home: Path) -> list[tuple[int, str]]:
    """The living processes that were started for runs of a home, each with its run's token."""
    found = []
    for name in os.listdir(_PROC):
        if not name.isdigit():
            continue
        try:
            environment = (_PROC / name / "environ").read_bytes().split(b"\0")
            os.getpgid(int(name))
        except OSError:
            continue
        values = dict(part.split(b"=", 1) for part in environment if b"=" in part)
        token = values.get(TOKEN_VARIABLE.encode())
        if token and values.get(b"MTLAB_HOME") == str(home).encode():
            found.append((int(name), token.decode()))
    return found


def alive(status: Status) -> bool:
    """Whether the process of a status lives."""
    return status.pid is not None and _identity(status).is_alive()


def _identity(status: Status) -> ProcessIdentity:
    assert status.pid is not None
    return ProcessIdentity(status.pid, status.started, status.token)


def _status(store: RunStore):
    return lambda record: store.status(record.id)


def _numbers(path: Path) -> list[int]:
    """The numbers of all whole lines of a log, those too that a reader passes over."""
    if not path.exists():
        return []
    numbers = []
    for line in path.read_bytes().split(b"\n"):
        try:
            numbers.append(json.loads(line)["seq"])
        except (ValueError, KeyError, TypeError):
            continue  # torn
    return numbers

"""The thread, in the app or at the command line, that keeps the runs on clusters attended.

It starts a watcher for every cluster on which the home has a run, and another one when that ends
before its work is done. Imports no Ray. The watchers end with this process; the runs go on.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import mtlab
from mtlab.errors import MtlabError, NotAvailable
from mtlab.runs.placement import RAY, placement_of
from mtlab.runs.store import RunStore
from mtlab.settings import Settings

TICK_SECONDS = 2.0
AGAIN_SECONDS = 5.0
_LOG = "cluster.log"


class Clusters:
    """Keeps a watcher going for each cluster that a home has runs on.

    Args:
        store: the home's runs.
    """

    def __init__(self, store: RunStore) -> None:
        self._store = store
        self._watchers: dict[str, subprocess.Popen[bytes]] = {}
        self._tried: dict[str, float] = {}
        self._problems: dict[str, MtlabError] = {}
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def problem(self) -> MtlabError | None:
        """What keeps a cluster's runs from being followed; None when all is well."""
        return next(iter(self._problems.values()), None)

    def start(self) -> None:
        """Start the thread, once; it ends with the process or with `stop`."""
        with self._lock:
            if self._thread is None:
                self._ending.clear()
                self._thread = threading.Thread(
                    target=self._loop, name="mtlab-clusters", daemon=True
                )
                self._thread.start()

    def wake(self) -> None:
        """Look for runs now rather than at the next tick."""
        self._wake.set()

    def stop(self) -> None:
        """End the thread and the watchers. The runs go on."""
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is not None:
            self._ending.set()
            self._wake.set()
            thread.join(timeout=10)
        for watcher in self._watchers.values():
            if watcher.stdin is not None:
                watcher.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                watcher.wait(timeout=8)
        self._watchers = {}

    def tick(self) -> None:
        """One round: a watcher for every cluster that has a run which is not over.

        Raises:
            MtlabError, OSError: the home cannot be read, or no process can be started.
        """
        wanted = self._addresses()
        self._problems = {one: why for one, why in self._problems.items() if one in wanted}
        for address, watcher in list(self._watchers.items()):
            if watcher.poll() is not None:
                self._ended(address, watcher)
        for address in wanted - self._watchers.keys():
            if time.monotonic() - self._tried.get(address, -AGAIN_SECONDS) >= AGAIN_SECONDS:
                self._tried[address] = time.monotonic()
                self._watchers[address] = self._started(address)

    def _loop(self) -> None:
        while not self._ending.is_set():
            with contextlib.suppress(MtlabError, OSError):
                self.tick()
            self._wake.wait(TICK_SECONDS)
            self._wake.clear()

    def _addresses(self) -> set[str]:
        found = set()
        for run in self._store.database.wanting(RAY):
            status = self._store.written_status(run)
            placement = placement_of(self._store.folder(run))
            if placement is not None and status is not None and not status.is_over:
                found.add(placement.address)
        return found

    def _started(self, address: str) -> subprocess.Popen[bytes]:
        log = self._store.settings.home / _LOG
        with open(log, "ab") as stderr:
            watcher = subprocess.Popen(
                [sys.executable, "-m", "mtlab.cluster.watcher", address],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env=environment(os.environ, self._store.settings),
                start_new_session=True,  # Ctrl-C is for who started the sweep to hear
            )
        threading.Thread(target=self._hear, args=(address, watcher), daemon=True).start()
        return watcher

    def _hear(self, address: str, watcher: subprocess.Popen[bytes]) -> None:
        """Note what keeps a watcher from its work."""
        for line in watcher.stdout or ():
            with contextlib.suppress(ValueError, KeyError, TypeError):
                said = json.loads(line)
                problem = NotAvailable(said["what"], why=said.get("why"), fix=said.get("fix"))
                self._problems[address] = problem

    def _ended(self, address: str, watcher: subprocess.Popen[bytes]) -> None:
        del self._watchers[address]
        if watcher.returncode == 0:
            self._problems.pop(address, None)
            self._tried.pop(address, None)
        if watcher.stdin is not None:
            watcher.stdin.close()


def environment(variables: Mapping[str, str], settings: Settings) -> dict[str, str]:
    """The variables for a process that speaks with a cluster on behalf of a home."""
    root = str(Path(mtlab.__file__).resolve().parent.parent)
    path = variables.get("PYTHONPATH")
    return {
        **variables,
        "MTLAB_HOME": str(settings.home),
        "PYTHONPATH": f"{root}{os.pathsep}{path}" if path else root,
        "RAY_USAGE_STATS_ENABLED": variables.get("RAY_USAGE_STATS_ENABLED", "0"),
    }

"""Jobs that begin in a blink: real processes, forked from one that has imported everything.

Each is what the supervisor starts, `mtlab.runs.job` in a session of its own with its output in
`job.log`, without the seconds that importing torch takes. Nothing of torch is used before the fork.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from mtlab.defaults import complete
from mtlab.presets import resolve_base
from mtlab.runs.files import read_json
from mtlab.runs.folders import RunRecord
from mtlab.runs.identity import new_token
from mtlab.runs.status import Phase, Status
from mtlab.runs.store import RunStore
from mtlab.settings import Settings
from mtlab.spec import RunSpec

ROOT = Path(__file__).resolve().parents[1]

_NURSERY = """
import os, sys
import mtlab.decoding, mtlab.scoring, mtlab.training, peft, transformers
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaForCausalLM
from mtlab.runs import job, pipeline, probing, untrained

print("ready", flush=True)
for line in sys.stdin:
    home, folder, token = line.split()
    child = os.fork()
    if child == 0:
        os.setsid()
        log = os.open(folder + "/job.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.environ["MTLAB_HOME"] = home
        os.chdir(folder)
        os._exit(job.main([folder, "--token", token]))
    print(child, flush=True)
    print(os.waitpid(child, 0)[1], flush=True)
"""


class WarmJobs:
    """Starts attempts at runs, one at a time; use it as a context manager."""

    def __enter__(self) -> WarmJobs:
        self._nursery = subprocess.Popen(
            [sys.executable, "-c", _NURSERY],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT), "MTLAB_THREADS": "1"},
        )
        assert self._answer() == "ready"
        return self

    def __exit__(self, *error: object) -> None:
        assert self._nursery.stdin is not None
        self._nursery.stdin.close()
        self._nursery.kill()
        self._nursery.wait()

    def _answer(self) -> str:
        assert self._nursery.stdout is not None
        return self._nursery.stdout.readline().strip()

    def begin(self, home: Settings, run: RunRecord) -> Attempt:
        """Begin an attempt at a run, as the supervisor does when it has died or was never begun."""
        path = run.folder / "status.json"
        status = Status.from_json(read_json(path) or {})
        token = new_token()
        fresh = status.with_changes(
            state="running", token=token, pid=None, phase=None, attempts=status.attempts + 1
        )
        RunStore(home).write_status(run.id, fresh)
        assert self._nursery.stdin is not None
        print(home.home, run.folder, token, file=self._nursery.stdin, flush=True)
        return Attempt(self, run.folder, int(self._answer()))


class Attempt:
    """A job's process."""

    def __init__(self, jobs: WarmJobs, folder: Path, pid: int) -> None:
        self._jobs, self._folder, self.pid = jobs, folder, pid

    @property
    def status(self) -> Status:
        """What it last said of itself."""
        return Status.from_json(read_json(self._folder / "status.json") or {})

    def until(self, phase: Phase, order: tuple[Phase, ...]) -> None:
        """Wait until it has come to a phase, or is over."""
        while True:
            status = self.status
            if status.ending or status.phase and order.index(status.phase) >= order.index(phase):
                return
            time.sleep(0.002)

    def kill(self) -> bool:
        """SIGKILL to its process group; whether that is what it died of."""
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass  # it has ended by itself
        return self.wait() == -signal.SIGKILL

    def wait(self) -> int:
        """Its exit status, when it has ended."""
        return os.waitstatus_to_exitcode(int(self._jobs._answer()))


def new_run(home: Settings, spec: RunSpec) -> RunRecord:
    """Write a run down; nobody starts it but `WarmJobs`."""
    return RunStore(home).create(complete(spec, resolve_base(spec.base, home)))

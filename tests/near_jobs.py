"""Remote jobs without a cluster: in this process, with the same methods and the same failures."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from mtlab.cluster.far import Lost, Refused
from mtlab.cluster.job_home import JobHome, KeptJob
from mtlab.cluster.remote_job import RemoteJob
from mtlab.runs.placement import Placement

FAKE_NODE = Path(__file__).resolve().parent / "fake_node"


class NearAnswer:
    def __init__(self, value: Any = None, error: Exception | None = None) -> None:
        self._value, self._error = value, error

    def wait(self, seconds: float) -> Any:
        if self._error is not None:
            raise self._error
        return self._value


class NearJob:
    """A remote job that is asked in this process; `failures` says what a method raises, and when.

    Args:
        job: what is asked.
        actor: the thread in which it lives. As an actor's it outlives whoever asks: a run's process
            ends with the thread that started it.
    """

    def __init__(self, job: JobHome, actor: ThreadPoolExecutor) -> None:
        self._actor = actor
        self.job = job
        self.asked: list[tuple[str, tuple[Any, ...]]] = []
        self.failures: dict[str, list[Exception | None]] = {}

    def ask(self, method: str, *arguments: Any) -> NearAnswer:
        self.asked.append((method, arguments))
        planned = self.failures.get(method) or [None]
        failure = planned.pop(0)
        if failure is not None:
            return NearAnswer(error=failure)
        try:
            return NearAnswer(self._actor.submit(getattr(self.job, method), *arguments).result())
        except Exception as error:
            return NearAnswer(error=Refused(str(error)))


class NearJobs:
    """The jobs of a home; `room` is how many may be there at once, the others wait."""

    def __init__(self, room: int = 1) -> None:
        self.room = room
        self.actor = ThreadPoolExecutor(1)
        self.there: dict[str, NearJob] = {}
        self.heirs: dict[str, NearJob] = {}
        self.hired: list[str] = []
        self.on_hire = lambda job: None

    def hire(self, name: str, run: str, placement: Placement) -> NearJob:
        if name not in self.there:
            self.there[name] = NearJob(RemoteJob(run, 1, 0), self.actor)
            self.hired.append(name)
            self.on_hire(self.there[name])
        return self.there[name]

    def find(self, name: str) -> NearJob | None:
        return self.there.get(name)

    def hand_over(self, name: str) -> None:
        """What an actor does by itself when its run has ended: who has it meets nobody any more."""
        gone = self.there.pop(name)
        assert isinstance(gone.job, RemoteJob) and gone.job.is_over()
        self.heirs[name] = NearJob(KeptJob(*gone.job.heir()), self.actor)
        gone.failures = {method: [Lost("the actor is dead")] * 9 for method in dir(gone.job)}

    def kept(self, name: str) -> NearJob | None:
        return self.heirs.get(name)

    def let_go(self, name: str) -> None:
        for jobs in (self.there, self.heirs):
            if name in jobs:
                jobs.pop(name).job.close()

    def names(self) -> set[str]:
        return {*self.there, *self.heirs}

    def slots(self, placement: Placement) -> int:
        return self.room


@pytest.fixture
def near_jobs(tmp_path, monkeypatch):
    """Jobs of a node that lies in this test's folder; what still runs is ended with the test."""
    monkeypatch.setenv("MTLAB_SCRATCH", str(tmp_path / "node"))
    monkeypatch.setenv("PYTHONPATH", str(FAKE_NODE))
    jobs = NearJobs()
    yield jobs
    for name in jobs.names():
        jobs.let_go(name)
    jobs.actor.shutdown()

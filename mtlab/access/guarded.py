"""The lab behind the gate: the same lab, in which every change first asks who wants it.

The page is built over it. Whatever a handler of the page or the API calls, and whoever wrote that
handler, a run is launched, stopped, resumed, moved or deleted through these few methods, so that
none can forget to ask. Who asks is told by the gate from the request that is being answered. The
supervisor works on the plain store, as the machine's own user.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mtlab.access.gate import Gate
from mtlab.access.limits import check_disk, check_queue, check_size
from mtlab.access.naming import check_names, confined
from mtlab.errors import InputError
from mtlab.executors import LOCAL
from mtlab.experiments import Experiment
from mtlab.handle import Run
from mtlab.lab import Lab
from mtlab.noise import NoisyPair
from mtlab.runs.creating import NewRun
from mtlab.runs.moving import Where
from mtlab.runs.placement import Placement
from mtlab.runs.preview import Preview
from mtlab.runs.status import RESUMABLE, Status
from mtlab.runs.store import RunRecord, RunStore
from mtlab.settings import Settings
from mtlab.spec import RunSpec

if TYPE_CHECKING:
    from mtlab.runs.resident import Resident
    from mtlab.sweeps import Sweep


class GuardedStore(RunStore):
    """The store for whoever asks over the network.

    Args:
        settings: the lab's.
        gate: the rules.
    """

    def __init__(self, settings: Settings, gate: Gate) -> None:
        super().__init__(settings)
        self._gate = gate
        # Two launches at the same instant must not both count the runs before either is there.
        self._counting = threading.Lock()

    def create_all(self, runs: Sequence[NewRun]) -> list[RunRecord]:
        """As the plain store; the runs are those of whoever asks, no more than they may have."""
        if not runs:
            return []
        person = self._gate.launching()
        check_disk(self.settings)
        with self._counting:
            check_queue(person, len(runs), self)
            return super().create_all([replace(run, owner=person.name or None) for run in runs])

    def request_stop(self, run: str, keep: bool = True) -> None:
        """As the plain store, for its owner or an administrator."""
        run = self.get(run).id
        self._gate.changing(self.written_status(run), "stopped")
        super().request_stop(run, keep)

    def requeue(self, run: str, devices: int | None = None) -> None:
        """As the plain store, for its owner or an administrator; it counts as launching."""
        run = self.get(run).id
        person = self._gate.changing(self.written_status(run), "resumed")
        check_disk(self.settings)
        with self._counting:
            check_queue(person, 1, self)
            super().requeue(run, devices)

    def place(self, run: str, placement: Placement | None, devices: int) -> None:
        """As the plain store, for its owner or an administrator."""
        run = self.get(run).id
        self._gate.changing(self.written_status(run), "resumed")
        super().place(run, placement, devices)

    def move(self, run: str, where: Where) -> None:
        """As the plain store, for an administrator; its owner may move it back."""
        run = self.get(run).id
        self._gate.changing(self.written_status(run), "moved", where)
        super().move(run, where)

    def delete(self, run: str) -> None:
        """As the plain store, for its owner or an administrator."""
        run = self.get(run).id
        self._gate.changing(self.written_status(run), "deleted")
        super().delete(run)

    def discard(self, run: str) -> None:
        """As the plain store, for its owner or an administrator."""
        self._gate.changing(self.written_status(run), "deleted")
        super().discard(run)


class GuardedLab(Lab):
    """A lab over the network.

    Args:
        settings: the lab's.
        gate: the rules.
        cache: where the browser's uploads arrive.
    """

    def __init__(self, settings: Settings, gate: Gate, *cache: Path) -> None:
        super().__init__(settings)
        self.gate = gate
        self._plain = settings
        self.settings = confined(settings, *cache)
        self.store = GuardedStore(settings, gate)

    @property
    def resident(self) -> Resident:
        """As the plain lab: a run that rests on a folder of this machine is translated with."""
        from mtlab.runs.resident import Resident

        if self._resident is None:
            self._resident = Resident(self._plain)
        return self._resident

    def launch(self, spec: RunSpec, *, device: str | None = None) -> Run:
        """As the plain lab, if who asks may launch that."""
        self.gate.launching()
        self._check(spec)
        return super().launch(spec, device=device)

    def expect(self, spec: RunSpec) -> None:
        """As the plain lab, where who asks may launch; else nothing."""
        if self.gate.person().may_launch:
            super().expect(spec)

    def enqueue(self, experiment: Experiment) -> tuple[Run, ...]:
        """As the plain lab, if who asks may launch all of it, and resume what has stopped."""
        person = self.gate.launching()
        standings = self.sweep(experiment).standings()
        again = [one.run for one in standings if one.run and one.state in RESUMABLE]
        for run in again:  # before the first of them is queued again
            self.gate.changing(self.store.written_status(run), "resumed")
        planned = sum(one.state == "planned" for one in standings)
        check_queue(person, planned + len(again), self.store)
        return super().enqueue(experiment)

    def lend(self, run: str) -> Iterator[Status]:
        """As the plain lab, for the run's owner or an administrator."""
        run = self.store.get(run).id
        self.gate.changing(self.store.written_status(run), "resumed")
        return super().lend(run)

    def sweep(
        self,
        experiment: Experiment,
        *,
        executor: str = LOCAL,
        address: str | None = None,
        gpus: int | None = None,
    ) -> Sweep:
        """As the plain lab, of what may be named; on this machine alone."""
        if executor != LOCAL or address is not None or gpus is not None:
            raise InputError(
                "a cluster cannot be named over the network",
                field="executor",
                fix="start the sweep on the machine itself",
            )
        return super().sweep(self._checked(experiment))

    def check(self, spec: RunSpec) -> Preview:
        """As the plain lab, of what may be named."""
        self._check(spec)
        return super().check(spec)

    def preview(self, spec: RunSpec, n: int = 8) -> Preview:
        """As the plain lab, of what may be named."""
        self._check(spec)
        return super().preview(spec, n)

    def noise(
        self, spec: RunSpec, texts: Sequence[tuple[str, str]] | None = None
    ) -> tuple[NoisyPair, ...]:
        """As the plain lab, of what may be named."""
        self._check(spec)
        return super().noise(spec, texts)

    def _checked(self, experiment: Experiment) -> Experiment:
        for step in experiment.steps(self.settings):
            self._check(step.spec, step.needs)
        return experiment

    def _check(self, spec: RunSpec, referring: Iterable[str] = ()) -> None:
        fields = tuple(referring)
        check_names(spec, self.settings, referring=fields)
        if "base" not in fields:
            check_size(spec, self.settings)

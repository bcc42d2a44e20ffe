"""A sweep: the runs of an experiment made one after another, as far as they are not there yet.

There is no state of a sweep but the runs themselves: a run whose complete spec is that of a run in
the home, name and group apart, is that run. A finished one is not made again, one that waits or
runs is waited for, one that stopped, failed or was interrupted is resumed. So the same sweep, asked
for again, goes on where it was.

Runs are launched as devices become free and never queued ahead: a run may need the id of one
before it, the queue stays a person's own, and what is queued would not run without a process to
supervise it anyway. When that process ends, such as with its terminal, the run at hand goes on to
its end by itself, what was made is there, and the rest waits for the same sweep to be asked for.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from mtlab.corpora import draw_for
from mtlab.defaults import complete
from mtlab.errors import InputError, MtlabError
from mtlab.experiments import Experiment, Step
from mtlab.presets import resolve_base
from mtlab.runs.devices import devices
from mtlab.runs.forecast import seconds_for
from mtlab.runs.placing import placed
from mtlab.runs.status import RESUMABLE, State
from mtlab.runs.store import RunRecord
from mtlab.spec import RunSpec

if TYPE_CHECKING:
    from mtlab.lab import Lab, Run

POLL_SECONDS = 0.2


@dataclass(frozen=True)
class Standing:
    """How one run of a sweep stands.

    Attributes:
        place: its place in the experiment's steps.
        spec: what is run; where it needs a run that is not there yet, as written.
        state: `planned` while there is no such run, else the run's state; `failed` also when it
            could not be launched.
        run: the run's id, if there is one.
        was_there: it had finished before the sweep came to it.
        error: why it failed, in a sentence.
    """

    place: int
    spec: RunSpec
    state: State | Literal["planned"]
    run: str | None = None
    was_there: bool = False
    error: str = ""

    def to_json(self) -> dict[str, Any]:
        """`{id, state, skipped, size, train, seed, name}`, and `error` where there is one."""
        data: dict[str, Any] = {
            "id": self.run,
            "state": self.state,
            "skipped": self.was_there,
            "size": self.spec.size,
            "train": [str(direction) for direction in self.spec.train],
            "seed": self.spec.seed,
            "name": self.spec.name,
        }
        return {**data, "error": self.error} if self.error else data


class Sweep:
    """The runs of an experiment in one lab.

    Args:
        lab: where they are made.
        experiment: what they are.

    Raises:
        InputError: a run of it cannot be had: a field, a direction or a size.
        NotAvailable: its corpus lies where this machine cannot reach.
    """

    def __init__(self, lab: Lab, experiment: Experiment) -> None:
        self.experiment = experiment
        self.steps: tuple[Step, ...] = experiment.steps(lab.settings)
        self._lab = lab
        self._stopping = threading.Event()
        self._check()

    def standings(self) -> tuple[Standing, ...]:
        """How every run stands now, in order; launches nothing."""
        there = self._there()
        found: dict[int, Standing] = {}
        for place, step in enumerate(self.steps):
            found[place] = self._standing(place, step, found, there)
        return tuple(found.values())

    def seconds(self) -> tuple[float, int]:
        """The time that what is left will take, told from finished runs: the seconds of those runs
        for which it can be told, and how many those are.
        """
        records = self._lab.store.list()
        times = []
        for standing in self.standings():
            if standing.state == "finished":
                continue
            spec = standing.spec
            if "@" not in spec.base:
                spec = self._complete(spec)
            known = seconds_for(spec, self._lab.store, records)
            times += [known[0]] if known else []
        return sum(times), len(times)

    def run(
        self, *, on_end: Callable[[Standing], None] | None = None, limit: int | None = None
    ) -> tuple[Standing, ...]:
        """Make what is missing, and wait for it. A run that fails does not hold up the others.

        Args:
            on_end: called with each run as it ends, at once for one that was there.
            limit: launch or resume so many at most.

        Returns:
            How every run stands then.
        """
        there = self._there()
        ended: dict[int, Standing] = {}
        live: dict[int, Run] = {}
        waiting = dict(enumerate(self.steps))
        launched = 0

        def end(standing: Standing) -> None:
            ended[standing.place] = standing
            if on_end is not None:
                on_end(standing)

        while True:
            for place in list(waiting):
                if len(live) >= max(1, len(devices())) or self._stopping.is_set():
                    break
                step = waiting[place]
                standing = self._standing(place, step, ended, there)
                if standing.state == "planned" and not _can_start(step, ended):
                    continue
                if standing.state in ("finished", "failed") and (
                    standing.was_there or standing.run is None
                ):
                    del waiting[place]
                    end(standing)
                    continue
                if standing.state not in ("queued", "running"):
                    if limit is not None and launched >= limit:
                        break
                    launched += 1
                del waiting[place]
                try:
                    live[place] = self._begin(standing)
                except MtlabError as error:
                    end(Standing(place, standing.spec, "failed", standing.run, error=str(error)))
            if not live:
                break
            time.sleep(POLL_SECONDS)
            if self._stopping.is_set():
                self._stop(live)
            for place, run in list(live.items()):
                status = run.wait(timeout=0)
                if status.is_over:
                    del live[place]
                    end(Standing(place, run.spec, status.state, run.id, error=status.sentence))
        left = {place: self._standing(place, step, ended, there) for place, step in waiting.items()}
        return tuple(standing for _, standing in sorted({**ended, **left}.items()))

    def stop(self) -> None:
        """Launch nothing more; what runs is stopped and kept, and `run` then returns.

        May be called from a signal handler or another thread.
        """
        self._stopping.set()

    @property
    def is_stopping(self) -> bool:
        """Whether it was asked to stop."""
        return self._stopping.is_set()

    def _begin(self, standing: Standing) -> Run:
        if standing.run is None:
            return self._lab.launch(standing.spec)
        run = self._lab.run(standing.run)
        if standing.state in RESUMABLE:
            run.resume()
        return run

    def _stop(self, live: Mapping[int, Run]) -> None:
        for run in live.values():
            if not (run.folder / "stop.json").exists():
                try:
                    run.stop(keep=True)
                except InputError:
                    continue  # it ended by itself meanwhile

    def _standing(
        self,
        place: int,
        step: Step,
        others: Mapping[int, Standing],
        there: Mapping[str, list[RunRecord]],
    ) -> Standing:
        """How a run stands, given how those that it needs do."""
        for other in step.needs.values():
            needed = others.get(other)
            if needed is not None and needed.state == "failed":
                what = f"it needs {needed.run or 'a run'}, which failed"
                return Standing(place, step.spec, "failed", error=what)
            if needed is None or needed.state != "finished":
                return Standing(place, step.spec, "planned")
        ids = {other: str(others[other].run) for other in step.needs.values()}
        spec = step.resolved(ids)
        try:
            records = there.get(_key(self._complete(spec)), [])
        except MtlabError as error:
            return Standing(place, spec, "failed", error=str(error))
        standings = []
        for record in records:
            status = self._lab.store.written_status(record.id)
            if status is None:
                continue
            status = self._lab.store.status(record.id)
            done = status.state == "finished"
            standings.append(Standing(place, spec, status.state, record.id, done, status.sentence))
        # A finished one if there is any, else the newest.
        ranked = sorted(standings, key=lambda one: one.state != "finished")
        return ranked[0] if ranked else Standing(place, spec, "planned")

    def _there(self) -> dict[str, list[RunRecord]]:
        """The home's runs by what they do, the newest first."""
        found: dict[str, list[RunRecord]] = {}
        for record in self._lab.store.list():
            found.setdefault(_key(record.spec), []).append(record)
        return found

    def _complete(self, spec: RunSpec) -> RunSpec:
        spec = placed(spec)
        return complete(spec, resolve_base(spec.base, self._lab.settings))

    def _check(self) -> None:
        """Refuse what no run could be: each kind of draw is tried once, at its largest size."""
        largest: dict[str, RunSpec] = {}
        for step in self.steps:
            spec = step.spec
            if "base" not in step.needs:
                resolve_base(spec.base, self._lab.settings)
            parts = (spec.corpus, spec.test_corpus, spec.drawn, spec.tested, spec.balance)
            key = f"{spec.training.trains} {parts}"
            if key not in largest or largest[key].size < spec.size:
                largest[key] = spec
        for spec in largest.values():
            draw_for(placed(spec), self._lab.settings)


def _can_start(step: Step, ended: Mapping[int, Standing]) -> bool:
    """Whether every run that it needs has finished."""
    found = [ended.get(other) for other in step.needs.values()]
    return all(one is not None and one.state == "finished" for one in found)


def _key(spec: RunSpec) -> str:
    """What a run does: its complete spec without what it is called."""
    data = {**spec.to_json(), "name": None, "group": None}
    return json.dumps(data, sort_keys=True)

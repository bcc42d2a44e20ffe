"""A sweep: the runs of an experiment made one after another, as far as they are not there yet.

There is no state of a sweep but the runs themselves: a run whose complete spec is that of a run in
the home, name and group apart, is that run. A finished one is not made again, one that waits or
runs is waited for, one that stopped, failed or was interrupted is resumed. So the same sweep, asked
for again, goes on where it was. `mtlab.runs.sweep_book` says which runs are its own, for reports.

`Sweep.enqueue` queues all of them at once, for whoever supervises the home to run: the browser
does so. `Sweep.run` launches them as devices become free and queues none ahead, since what is
queued would not run without a process to supervise it: the command line does so. When that process
ends, such as with its terminal, the run at hand goes on to its end by itself, what was made is
there, and the rest waits for the same sweep to be asked for. What one has queued the other waits
for. On a cluster `Sweep.run` queues all of them, too, and waits: what was placed goes on there, and
whoever watches the home's clusters next, the app or the same sweep again, places the rest.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from mtlab.cluster.luggage import check_travels
from mtlab.corpora import Draw, draw_for
from mtlab.errors import InputError, MtlabError
from mtlab.experiments import Experiment, Step
from mtlab.forecasting import forecaster_of
from mtlab.presets import resolve_base
from mtlab.runs.checking import checked, completed
from mtlab.runs.creating import NewRun, new_ids
from mtlab.runs.devices import allowed_devices
from mtlab.runs.matching import RunsByWork, as_launched
from mtlab.runs.needs import Unfinished, named_runs, refuse_hopeless, unfinished_in
from mtlab.runs.placing import placed
from mtlab.runs.status import RESUMABLE, State
from mtlab.runs.translators import settled
from mtlab.settings import Settings
from mtlab.spec import Direction, RunSpec

if TYPE_CHECKING:
    from mtlab.cluster.probe import Cluster
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
        cluster: where, when not on this machine.

    Raises:
        InputError: a run of it cannot be had: a field, a direction or a size.
        NotAvailable: its corpus lies where this machine cannot reach.
    """

    def __init__(self, lab: Lab, experiment: Experiment, cluster: Cluster | None = None) -> None:
        self.experiment = experiment
        self.cluster = cluster
        self.steps: tuple[Step, ...] = experiment.steps(lab.settings)
        self._lab = lab
        self._stopping = threading.Event()
        self._check()

    def standings(self) -> tuple[Standing, ...]:
        """How every run stands now, in order; launches nothing."""
        there = RunsByWork(self._lab.store)
        found: dict[int, Standing] = {}
        for place, step in enumerate(self.steps):
            found[place] = self._standing(place, step, found, there)
        return tuple(found.values())

    def seconds(self) -> tuple[float, int]:
        """The time that what is left will take: the seconds of those runs for which it can be
        told, and how many those are. What the untuned base translates for one is kept for the rest.
        """
        forecaster = forecaster_of(self._lab.store)
        kept: dict[str, set[Direction]] = {}
        times = []
        for standing in self.standings():
            if standing.state == "finished":
                continue
            spec = as_launched(self._on_its_first_base(standing), self._lab.store)
            there = kept.setdefault(_asked_of_the_base(spec), set())
            told = forecaster.forecast(spec, kept=there) if spec.tested else None
            if told is not None:
                times.append(told.total)
                there.update(spec.tested if spec.score_base else ())
        return sum(times), len(times)

    def _on_its_first_base(self, standing: Standing) -> RunSpec:
        """The spec of a run; of one that goes on from a run not yet there, as large a one: on what
        the first of the chain begins with.
        """
        step = self.steps[standing.place]
        if "@" not in standing.spec.base:
            return standing.spec
        while "base" in step.needs:
            step = self.steps[step.needs["base"]]
        return standing.spec.with_changes(base=step.spec.base)

    def run(
        self, *, on_end: Callable[[Standing], None] | None = None, limit: int | None = None
    ) -> tuple[Standing, ...]:
        """Make what is missing, and wait for it. A run that fails does not hold up the others.

        Args:
            on_end: called with each run as it ends, at once for one that was there.
            limit: launch or resume so many at most.

        Returns:
            How every run stands then.

        Raises:
            InputError: on a cluster, one of the runs cannot be run there; or a limit is given.
        """
        if self.cluster is not None:
            if limit is not None:
                fix = "leave it out"
                raise InputError("a cluster is given all runs at once", field="limit", fix=fix)
            return self._run_elsewhere(on_end)
        there = RunsByWork(self._lab.store)
        ended: dict[int, Standing] = {}
        live: dict[int, Run] = {}
        waiting = dict(enumerate(self.steps))
        launched = 0
        made = [one.run for one in self.standings()]
        self._lab.book.note(self.experiment, made)

        def end(standing: Standing) -> None:
            ended[standing.place] = standing
            if on_end is not None:
                on_end(standing)

        while True:
            for place in list(waiting):
                if len(live) >= len(allowed_devices(self._lab.settings)) or self._stopping.is_set():
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
                    run = self._begin(standing)
                except MtlabError as error:
                    end(Standing(place, standing.spec, "failed", standing.run, error=str(error)))
                    continue
                live[place] = run
                if made[place] != run.id:
                    made[place] = run.id
                    self._lab.book.note(self.experiment, made)
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

    def enqueue(self) -> tuple[Run, ...]:
        """Queue what is missing, all of it or nothing; `Lab.enqueue` says how.

        Raises:
            InputError: one of the runs cannot be run.
            NotAvailable: this machine cannot run one of them now, or the home cannot be written.
        """
        store, there = self._lab.store, RunsByWork(self._lab.store)
        fresh = new_ids(store.settings, len(self.steps))
        ids: dict[int, str] = {}
        new: dict[str, RunSpec] = {}
        again: dict[str, RunSpec] = {}
        waiting = unfinished_in(store)

        def unfinished(run: str) -> RunSpec | None:
            return new.get(run) or again.get(run) or waiting(run)

        for place, step in enumerate(self.steps):
            spec = settled(step.resolved(ids), store)
            found = there.find(as_launched(spec, store, new))
            if found is None:
                ids[place] = fresh[place]
                new[ids[place]] = self._fit(spec, unfinished)
                continue
            ids[place], status = found
            if status.is_over and status.state in RESUMABLE:
                refuse_hopeless(store, status, besides=again)
                again[status.id] = spec
        placements = {
            run: None if self.cluster is None else self.cluster.placement_for(spec)
            for run, spec in {**new, **again}.items()
        }
        for run, spec in again.items():
            store.place(run, placements[run], spec.devices)
            store.requeue(run)
        runs = [
            NewRun(
                run,
                spec,
                tuple(one for one in named_runs(spec) if unfinished(one)),
                placement=placements[run],
            )
            for run, spec in new.items()
        ]
        store.create_all(runs)
        made = [ids[place] for place in range(len(self.steps))]
        self._lab.book.note(self.experiment, made)
        return tuple(map(self._lab.run, made))

    def stop(self) -> None:
        """Launch nothing more; what runs is stopped and kept, and `run` then returns.

        May be called from a signal handler or another thread.
        """
        self._stopping.set()

    @property
    def is_stopping(self) -> bool:
        """Whether it was asked to stop."""
        return self._stopping.is_set()

    def _fit(self, spec: RunSpec, unfinished: Unfinished) -> RunSpec:
        """The spec, complete, if it can be run where it is to be; another machine's memory is not
        this one's.
        """
        store = self._lab.store
        if self.cluster is None:
            return checked(spec, store, self._lab.resident, unfinished, self._drawn)[0]
        whole, _ = completed(spec, store, unfinished, self._drawn)
        check_travels(whole)
        return whole

    def _run_elsewhere(self, on_end: Callable[[Standing], None] | None) -> tuple[Standing, ...]:
        """Queue what is missing for the cluster, and wait for it or until it is stopped."""
        before = self.standings()
        runs = self.enqueue()
        self._lab.supervise()
        ended: dict[int, Standing] = {}
        while len(ended) < len(runs) and not self._stopping.is_set():
            for place, run in enumerate(runs):
                if place in ended:
                    continue
                status = run.wait(timeout=0)
                if status.is_over:
                    was_there = before[place].state == "finished"
                    ended[place] = Standing(
                        place, run.spec, status.state, run.id, was_there, status.sentence
                    )
                    if on_end is not None:
                        on_end(ended[place])
            self._stopping.wait(POLL_SECONDS if len(ended) < len(runs) else 0)
        now = self.standings()
        return tuple(ended.get(place, now[place]) for place in range(len(runs)))

    def _begin(self, standing: Standing) -> Run:
        if standing.run is None:
            return self._lab.launch(standing.spec)
        run = self._lab.run(standing.run)
        if standing.state in RESUMABLE and run.status().is_over:
            self._lab.store.place(run.id, None, standing.spec.devices)
            run.resume()
        self._lab.supervise()  # what was queued by others, too
        return run

    def _stop(self, live: Mapping[int, Run]) -> None:
        for run in live.values():
            if not (run.folder / "stop.json").exists():
                try:
                    run.stop(keep=True)
                except InputError:
                    continue  # it ended by itself meanwhile

    def _standing(
        self, place: int, step: Step, others: Mapping[int, Standing], there: RunsByWork
    ) -> Standing:
        """How a run stands, given how those that it needs do."""
        needed = [others.get(other) for other in step.needs.values()]
        failed = next((one for one in needed if one is not None and one.state == "failed"), None)
        error = f"it needs {failed.run or 'a run'}, which failed" if failed is not None else ""
        state: Literal["failed", "planned"] = "planned" if failed is None else "failed"
        if any(one is None or one.run is None for one in needed):
            return Standing(place, step.spec, state, error=error)
        spec = step.resolved({other: str(others[other].run) for other in step.needs.values()})
        try:
            found = there.find(as_launched(spec, self._lab.store))
        except MtlabError as problem:
            return Standing(place, spec, "failed", error=str(problem))
        if found is None:
            return Standing(place, spec, state, error=error)
        run, status = found
        done = status.state == "finished"
        return Standing(place, spec, status.state, run, done, status.sentence)

    def _check(self) -> None:
        """Refuse what no run could be: each kind of draw is made once, at its largest size."""
        settings = self._lab.settings
        largest: dict[str, RunSpec] = {}
        for step in self.steps:
            if "base" not in step.needs:
                resolve_base(step.spec.base, settings)
            spec = placed(step.spec)
            kind = _kind_of_draw(spec)
            if kind not in largest or largest[kind].size < spec.size:
                largest[kind] = spec
        self._draws = {kind: draw_for(spec, settings) for kind, spec in largest.items()}

    def _drawn(self, spec: RunSpec, settings: Settings) -> Draw:
        """The largest draw of a spec's kind: whether one can be had does not hang on its seed."""
        return self._draws[_kind_of_draw(spec)]


def _kind_of_draw(spec: RunSpec) -> str:
    parts = (spec.corpus, spec.test_corpus, spec.drawn, spec.tested, spec.balance, spec.reverse)
    return f"{spec.training.trains} {parts}"


def _can_start(step: Step, ended: Mapping[int, Standing]) -> bool:
    """Whether every run that it needs has finished."""
    found = [ended.get(other) for other in step.needs.values()]
    return all(one is not None and one.state == "finished" for one in found)


def _asked_of_the_base(spec: RunSpec) -> str:
    """What decides the untuned base's translations of a direction, as far as a spec does."""
    told = (spec.base, spec.revision, spec.template, spec.test_corpus, spec.test_limit)
    return repr((*told, spec.decoding, spec.training.precision))

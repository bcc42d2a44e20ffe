"""The Python API: a lab launches runs, finds them again, translates and scores.

    lab = Lab()
    run = lab.launch(RunSpec(base="nano", size=32, train=["de-en"]))
    run.wait()
    run.scores()

The browser and the command line call nothing else. Importing this module imports no torch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mtlab.cluster.clusters import Clusters
from mtlab.errors import InputError
from mtlab.handle import Run
from mtlab.runs.checking import checked, completed
from mtlab.runs.devices import check_device
from mtlab.runs.needs import named_runs, unfinished_in
from mtlab.runs.preview import Preview, PreviewExample, preview_of
from mtlab.runs.store import RunRecord, RunStore
from mtlab.runs.supervisor import Supervisor
from mtlab.runs.sweep_book import SweepBook, SweepSummary
from mtlab.settings import Settings
from mtlab.spec import Direction, RunSpec

if TYPE_CHECKING:
    from mtlab.corpora import Draw
    from mtlab.decoding import Hypothesis
    from mtlab.experiments import Experiment
    from mtlab.noise import NoisyPair
    from mtlab.results.report import Report
    from mtlab.runs.resident import KeptModels, Resident
    from mtlab.runs.status import Status
    from mtlab.runs.translators import HubTranslator, ModelTranslator
    from mtlab.sweeps import Sweep

__all__ = ["Lab", "Preview", "PreviewExample", "Run"]


class Lab:
    """One home's runs, and the models they made.

    Args:
        settings: where things lie; read from the environment when not given.

    Raises:
        NotAvailable: the home cannot be made or written.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings.from_environment()
        self.store = RunStore(self.settings)
        self.book = SweepBook(self.store)
        self.supervisor = Supervisor(self.store, self.settings, on_start=self._make_way)
        self.clusters = Clusters(self.store)
        self._resident: Resident | None = None

    def launch(self, spec: RunSpec, *, device: str | None = None) -> Run:
        """Check a spec, write its run down and start it as soon as its device is free.

        The run is its own process: it goes on when this one ends. Until it has started, some
        process must supervise the home; this one does from now on. A run that goes on from one
        that is not finished, or whose translator is such a run, waits for it.

        Args:
            spec: what is run.
            device: where, such as `cuda:1`, or `cuda:0,cuda:1` where two share its work; on
                whichever is free first when not given.

        Raises:
            InputError: the spec cannot be run: says which field, and what to do.
            NotAvailable: this machine cannot run it now.
        """
        if device is not None:
            check_device(device, self.settings, spec.devices)
        unfinished = unfinished_in(self.store)
        spec, _ = checked(spec, self.store, self.resident, unfinished)
        needs = [run for run in named_runs(spec) if unfinished(run) is not None]
        record = self.store.create(spec, needs=needs, wants=device)
        self.supervise()
        return Run(self, record)

    def enqueue(self, experiment: Experiment) -> tuple[Run, ...]:
        """Queue all runs of an experiment at once, and return without waiting.

        What is there and finished, queued or running is that run; what stopped, failed or was
        interrupted is queued again. A run that needs another is queued with it, starts when that
        one has finished, and fails when that one does not. Everything is checked before the first
        run is written down, so that a refusal leaves nothing behind.

        Returns:
            The experiment's runs in its order, those that were there too.

        Raises:
            InputError: one of the runs cannot be run: says which field, and what to do.
            NotAvailable: this machine cannot run one of them now, or the home cannot be written.
        """
        from mtlab.sweeps import Sweep

        runs = Sweep(self, experiment).enqueue()
        self.supervise()
        return runs

    def sweep(
        self,
        experiment: Experiment,
        *,
        executor: str = "local",
        address: str | None = None,
        gpus: int | None = None,
    ) -> Sweep:
        """An experiment's runs as one thing to do; nothing is launched before its `run`.

        Args:
            experiment: what the runs are.
            executor: `local` for the devices of this machine, `ray` for a cluster, which is asked
                at once whether it can do them.
            address: the cluster's: `ray://HOST:10001`, `HOST:6379`, or `auto`, which is also what
                None means.
            gpus: how many GPUs of the cluster each run is given; one where it has any, when not
                given.

        Raises:
            InputError: a run of it cannot be had: a field, a direction or a size; there is no such
                executor, nobody answers at the address, or the cluster lacks what the runs need.
            NotAvailable: its corpus lies where this machine cannot reach.
        """
        from mtlab.executors import cluster_for
        from mtlab.sweeps import Sweep

        return Sweep(self, experiment, cluster_for(executor, address, gpus, self.settings))

    def lend(self, run: str) -> Iterator[Status]:
        """Do a run that waits for a GPU that a visitor of a ZeroGPU Space lends, slice by slice.

        Call it from the visitor's own event: the quota is told from the request.

        Yields:
            The run's status after each slice; it is over after the last.

        Raises:
            InputError: no such run, or one that does not wait for that.
            NotAvailable: no GPU is lent here, or none any more; what was learnt is kept.
        """
        from mtlab.spaces.zero import slices

        return slices(self.store, self.settings, self.store.get(run).id)

    @property
    def resident(self) -> Resident:
        """The models that are kept for translation; none is loaded by looking."""
        from mtlab.runs.resident import Resident

        if self._resident is None:
            self._resident = Resident(self.settings)
        return self._resident

    def sweeps(self) -> list[SweepSummary]:
        """Every sweep of this home in numbers, the newest first."""
        return self.book.summaries()

    def expect(self, spec: RunSpec) -> None:
        """Have a process ready for a run that somebody is about to launch, so that its first step
        comes seconds earlier; only where this process looks after the home's queue.

        Args:
            spec: complete, as a preview has it.
        """
        self.supervisor.expect(spec)
        self.supervisor.wake()

    def supervise(self) -> None:
        """Look after the home's queue, and after its runs on clusters, from background threads of
        this process.
        """
        self.supervisor.start()
        self.supervisor.wake()
        self.clusters.start()
        self.clusters.wake()

    def run(self, run: str) -> Run:
        """The run with this id, or the only one whose id begins so.

        Raises:
            InputError: no run, or several.
        """
        return Run(self, self.store.get(run))

    def runs(self) -> list[Run]:
        """All runs, the newest first."""
        return [Run(self, record) for record in self.store.list()]

    def mark(self) -> str:
        """A word that is another whenever a run was added, removed or moved in the queue, or its
        state or its scores changed: what a poll asks before it reads anything.
        """
        return self.store.mark()

    def queue(self) -> list[Run]:
        """The runs that wait, the next one first.

        One that needs a run which has not finished is passed over until it has.
        """
        waiting = (self.store.find(run) for run in self.store.database.queue())
        return [Run(self, record) for record in waiting if record is not None]

    def check(self, spec: RunSpec) -> Preview:
        """All that can be said about a spec before it runs, its base model included.

        Raises:
            InputError: the spec cannot be run.
            NotAvailable: this machine cannot run it now.
        """
        spec, drawn = checked(spec, self.store, self.resident)
        return preview_of(spec, drawn, 1, self.store, self._noise(spec, drawn))

    def preview(self, spec: RunSpec, n: int = 8) -> Preview:
        """The first `n` training pairs and what is known beforehand.

        Loads no model but the translator of sentence noise, and that only where these pairs were
        not translated before; none is fetched from a hub.

        Raises:
            InputError: the corpus, a direction or the size cannot be had, there is no such base,
                or noise lacks something.
            NotAvailable: the corpus or the translator lies where this machine cannot reach.
        """
        spec, drawn = completed(spec, self.store)
        return preview_of(spec, drawn, n, self.store, self._noise(spec, drawn))

    def noise(
        self, spec: RunSpec, texts: Sequence[tuple[str, str]] | None = None
    ) -> tuple[NoisyPair, ...]:
        """What a spec's noise does to its training pairs, or to a person's own.

        Args:
            spec: of which only the noise, the corpus, the directions, the size and the seed count.
            texts: (source, target) in the spec's first training direction.

        Raises:
            InputError: the corpus, a direction or the size cannot be had, or noise lacks something.
            NotAvailable: the corpus or the translator lies where this machine cannot reach.
        """
        from mtlab.noise import preview
        from mtlab.runs.translators import translator_for

        translator = translator_for(spec, self.store, self.resident)
        return preview(spec.noise, spec, self.settings, texts, translator)

    def translate(
        self, model: str, sources: Sequence[str], direction: Direction | str
    ) -> list[Hypothesis]:
        """Translate in this process, with a model that stays in memory for the next call.

        Args:
            model: a run's id, `latest` for the newest finished run, a preset's name such as
                `nano`, or `base:NAME` for any other base.
            sources: one text each.
            direction: from which language into which.

        Raises:
            InputError: no such model, or a run that has saved none.
            NotAvailable: the model does not fit into memory.
        """
        return self.resident.translate(self._model(model), sources, Direction.of(direction))

    def stream(self, model: str, source: str, direction: Direction | str) -> Iterator[Hypothesis]:
        """Translate one text, yielding drafts of it and at last the answer; arguments as
        `translate`. The model is loaded before this returns.
        """
        return self.resident.stream(self._model(model), source, Direction.of(direction))

    def kept_models(self) -> KeptModels:
        """The models that are in memory for translation, or for whom they were given up."""
        return self.resident.kept()

    def release(self, for_run: str | None = None) -> None:
        """Give the memory of the models kept for translation back; returns at once.

        Args:
            for_run: the id of the run that needs it, for the page to say.
        """
        if self._resident is not None:
            self._resident.release(for_run)

    def score(
        self,
        *,
        direction: Direction | str,
        sources: Sequence[str],
        references: Sequence[str],
        systems: Mapping[str, Sequence[str]],
        metrics: Sequence[str] = ("bleu", "chrf", "comet"),
        comet_model: str = "Unbabel/wmt22-comet-da",
    ) -> dict[str, Any]:
        """Score systems that translated the same sources, and compare each with the first.

        Returns:
            `{"systems": [{name, direction, scores, failures, stacked, languages}], "comparisons":
            [...]}`: per metric and system a `mtlab.scoring.comparison.Comparison` with the first
            system, the baseline; none where there is one system, or no score on either side.

        Raises:
            InputError: lists of unequal length, empty references, an unknown metric.
        """
        from mtlab.scoring import score_systems
        from mtlab.scoring.significance import compare_systems

        direction = Direction.of(direction)
        scored = score_systems(
            direction,
            list(sources),
            list(references),
            {name: list(lines) for name, lines in systems.items()},
            metrics,
            self.settings,
            comet_model,
        )
        rows = [
            {
                "name": name,
                "direction": str(direction),
                "scores": {metric: score.to_json() for metric, score in one.scores.items()},
                **one.failures_json(),
            }
            for name, one in scored.items()
        ]
        compared = compare_systems({name: one.scores for name, one in scored.items()}, comet_model)
        return {"systems": rows, "comparisons": [one.to_json() for one in compared]}

    def report(
        self,
        runs: Sequence[str] = (),
        groups: Sequence[str] = (),
        *,
        metric: str = "bleu",
        title: str = "",
    ) -> Report:
        """A report on finished runs: findings, plots, tables, and what makes them again.

        Args:
            runs: ids, or `latest` for the newest finished run.
            groups: names of sweeps; all of their runs, also those that a sweep found in the home
                and did not make again.
            metric: `bleu`, `chrf`, `comet` or `gated-comet`: what plots and findings are about.
            title: for people; made from the runs when not given.

        Raises:
            InputError: no such run or group, or none that has scores.
        """
        from mtlab.results.report import make_report

        records = self._chosen(runs, groups)
        if groups and not runs:
            title = title or ", ".join(groups)
        return make_report(records, self.settings, metric=metric, title=title)

    def close(self) -> None:
        """Stop supervising and give memory back. Runs go on."""
        self.supervisor.stop()
        self.clusters.stop()
        self.release()

    def _make_way(self, run: str, device: str) -> None:
        """Give the models up for a run that starts, where it needs their memory."""
        record = self.store.find(run)
        if self._resident is None or record is None:
            return
        from mtlab.runs.making_way import must_make_way

        if must_make_way(record.spec, device, self.settings):
            self.release(for_run=run)

    def _noise(self, spec: RunSpec, drawn: Draw) -> ModelTranslator | HubTranslator | None:
        """Check a spec's noise; its translator, which fetches nothing here."""
        from mtlab.runs.translators import check_noise

        return check_noise(spec, drawn, self.store, self.resident)

    def _chosen(self, runs: Sequence[str], groups: Sequence[str]) -> list[RunRecord]:
        """Runs by id and by group, each once."""
        from mtlab.runs.translators import latest_finished

        chosen = {}
        for name in runs:
            record = latest_finished(self.store) if name == "latest" else self.store.get(name)
            chosen[record.id] = record
        for group in groups:
            found = self.book.runs(group)
            if not found:
                known = self.book.names()
                fix = f"use one of {', '.join(known)}" if known else "start a sweep first"
                raise InputError(f"there is no group '{group}'", field="group", fix=fix)
            chosen.update((record.id, record) for record in found)
        if not chosen:
            raise InputError("no run is named", field="run", fix="give ids, latest, or a group")
        return list(chosen.values())

    def _model(self, name: str) -> str | RunRecord:
        """A base model's name, or the run that a model's name means."""
        from mtlab.presets import BASES
        from mtlab.runs.translators import latest_finished

        name = name.strip()
        if name == "base":
            return "nano"
        if name in BASES:
            return name
        if name == "latest":
            return latest_finished(self.store)
        return name.removeprefix("base:") if name.startswith("base:") else self.store.get(name)

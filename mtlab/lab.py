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

from mtlab.errors import InputError
from mtlab.handle import Run
from mtlab.prompts import CHAT, no_chat_template
from mtlab.runs.placing import placed
from mtlab.runs.preview import Preview, PreviewExample, preview_of
from mtlab.runs.store import RunRecord, RunStore
from mtlab.runs.supervisor import Supervisor
from mtlab.settings import Settings
from mtlab.spec import Direction, RunSpec

if TYPE_CHECKING:
    from mtlab.corpora import Draw
    from mtlab.decoding import Hypothesis
    from mtlab.experiments import Experiment
    from mtlab.noise import NoisyPair
    from mtlab.results.report import Report
    from mtlab.runs.resident import Resident
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
        self.supervisor = Supervisor(self.store, self.settings)
        self._resident: Resident | None = None

    def launch(self, spec: RunSpec) -> Run:
        """Check a spec, write its run down and start it as soon as its device is free.

        The run is its own process: it goes on when this one ends. Until it has started, some
        process must supervise the home; this one does from now on.

        Raises:
            InputError: the spec cannot be run: says which field, and what to do.
            NotAvailable: this machine cannot run it now.
        """
        record = self.store.create(self._checked(spec)[0])
        self.supervise()
        return Run(self, record)

    def sweep(self, experiment: Experiment) -> Sweep:
        """An experiment's runs as one thing to do; nothing is launched before its `run`.

        Raises:
            InputError: a run of it cannot be had: a field, a direction or a size.
            NotAvailable: its corpus lies where this machine cannot reach.
        """
        from mtlab.sweeps import Sweep

        return Sweep(self, experiment)

    def supervise(self) -> None:
        """Look after the home's queue from a background thread of this process."""
        self.supervisor.start()
        self.supervisor.wake()

    def run(self, run: str) -> Run:
        """The run with this id, or the only one whose id begins so.

        Raises:
            InputError: no run, or several.
        """
        return Run(self, self.store.get(run))

    def runs(self) -> list[Run]:
        """All runs, the newest first."""
        return [Run(self, record) for record in self.store.list()]

    def check(self, spec: RunSpec) -> Preview:
        """All that can be said about a spec before it runs, its base model included.

        Raises:
            InputError: the spec cannot be run.
            NotAvailable: this machine cannot run it now.
        """
        spec, drawn = self._checked(spec)
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
        spec, drawn = self._completed(spec)
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

        translator = translator_for(spec, self.store, self._models())
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
        return self._models().translate(self._model(model), sources, Direction.of(direction))

    def stream(self, model: str, source: str, direction: Direction | str) -> Iterator[str]:
        """Translate one text, yielding what there is of it so far; arguments as `translate`."""
        return self._models().stream(self._model(model), source, Direction.of(direction))

    def release(self) -> None:
        """Give the memory of the models kept for translation back."""
        if self._resident is not None:
            self._resident.release()

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
            groups: names of sweeps; all of their runs.
            metric: `bleu`, `chrf` or `comet`: what plots and findings are about.
            title: for people; made from the runs when not given.

        Raises:
            InputError: no such run or group, or none that has scores.
        """
        from mtlab.results.report import make_report

        records = self._chosen(runs, groups)
        return make_report(records, self.settings, metric=metric, title=title)

    def close(self) -> None:
        """Stop supervising and give memory back. Runs go on."""
        self.supervisor.stop()
        self.release()

    def _completed(self, spec: RunSpec) -> tuple[RunSpec, Draw]:
        """The spec with every open value filled in, and the pairs it would train on."""
        from mtlab.corpora import corpora_for, draw_for
        from mtlab.defaults import complete
        from mtlab.presets import resolve_base
        from mtlab.runs.translators import settled

        spec = settled(placed(spec), self.store)
        base = resolve_base(spec.base, self.settings)
        corpus = corpora_for(spec, self.settings).train
        for direction in spec.train:
            corpus.pool(direction)  # a training direction it lacks is said before a test direction
        drawn = draw_for(spec, self.settings)  # before defaults by size: a size can be absurd
        return complete(spec, base), drawn

    def _checked(self, spec: RunSpec) -> tuple[RunSpec, Draw]:
        from mtlab.models import check_fits, inspect
        from mtlab.presets import resolve_base

        spec, drawn = self._completed(spec)
        if not spec.training.trains:
            from mtlab.runs.systems import check_system

            check_system(spec, self.settings)
            return spec, drawn
        self._noise(spec, drawn)
        facts = inspect(resolve_base(spec.base, self.settings), self.settings, spec.revision)
        if spec.template == CHAT and facts.has_chat_template is False:
            raise no_chat_template(spec.base)
        check_fits(facts, spec.training, self.settings)
        return spec, drawn

    def _noise(self, spec: RunSpec, drawn: Draw) -> ModelTranslator | HubTranslator | None:
        """Check a spec's noise; its translator, which fetches nothing here."""
        from mtlab.runs.translators import check_noise

        return check_noise(spec, drawn, self.store, self._models())

    def _chosen(self, runs: Sequence[str], groups: Sequence[str]) -> list[RunRecord]:
        """Runs by id and by group, each once."""
        from mtlab.runs.translators import latest_finished

        chosen = {}
        for name in runs:
            record = latest_finished(self.store) if name == "latest" else self.store.get(name)
            chosen[record.id] = record
        everything = self.store.list() if groups else []
        for group in groups:
            found = [record for record in everything if record.spec.group == group]
            if not found:
                known = sorted({one.spec.group for one in everything if one.spec.group})
                fix = f"use one of {', '.join(known)}" if known else "start a sweep first"
                raise InputError(f"there is no group '{group}'", field="group", fix=fix)
            chosen.update((record.id, record) for record in found)
        if not chosen:
            raise InputError("no run is named", field="run", fix="give ids, latest, or a group")
        return list(chosen.values())

    def _models(self) -> Resident:
        from mtlab.runs.resident import Resident

        if self._resident is None:
            self._resident = Resident(self.settings)
        return self._resident

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

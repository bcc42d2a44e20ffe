"""What a run does, phase by phase: prepare, load, base, train, decode, score.

Everything that a phase finishes is written whole before the next begins, and found again by a
resumed run, whatever ended it: training goes on from its newest whole checkpoint, translating at
the batch of segments where it was (`runs.partial`), scoring at the first direction that was not
scored, COMET at the texts that were not encoded. On one CPU the adapter, the translations and the
scores are then, bit for bit, those of a run that was never interrupted.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtlab.halving import with_budget
from mtlab.models import (
    Loaded,
    inspect,
    load,
    load_run,
    saved_model,
    set_threads,
    weights_precision,
)
from mtlab.noise import NoisyPair
from mtlab.presets import Base, resolve_base
from mtlab.prompts import Template, encode
from mtlab.runs import base_cache, provenance
from mtlab.runs.crew import Crew
from mtlab.runs.files import read_lines, write_json, write_lines
from mtlab.runs.fitting import fitted_budget, settled_training
from mtlab.runs.mate import Which, load_to_train
from mtlab.runs.partial import Partial, drop_partials
from mtlab.runs.preparing import Tests, prepare
from mtlab.runs.reporting import Reporter, peak_memory_mb
from mtlab.runs.scores import score_tests
from mtlab.runs.segments import segment_rows
from mtlab.runs.status import Phase
from mtlab.runs.streams import Answering, Answers, Stream, streams
from mtlab.settings import Settings
from mtlab.spec import Direction, RunSpec
from mtlab.streams import most_together

if TYPE_CHECKING:
    from mtlab.decoding import Hypothesis


class Stopped(Exception):
    """The run was asked to stop, and has saved what there was to save."""


@dataclass
class Pipeline:
    """One attempt at one run.

    Args:
        folder: the run's.
        spec: complete.
        settings: the lab's.
        reporter: where progress goes.
        should_stop: whether a person, or the system, wants the run to end.
        crew: the other processes that share the work; None where there are none.
    """

    folder: Path
    spec: RunSpec
    settings: Settings
    reporter: Reporter
    should_stop: Callable[[], bool]
    crew: Crew | None = None
    _answered: dict[str, dict[str, dict[str, int]]] = field(default_factory=dict)
    """How long this attempt's answers are, by phase and direction: forecasts go by it."""

    def run(self) -> None:
        """All phases.

        Raises:
            Stopped: it was asked to; what it has learnt is saved.
            MtlabError: it cannot go on: says why.
            OSError: a file cannot be written.
        """
        with self.reporter.phase("prepare"):
            pairs, tests = self._prepare()
        with self.reporter.phase("load"):
            self._load(pairs)
        base: Answers = {}
        if self.spec.score_base:
            with self.reporter.phase("base"):
                base = self._translate_base(tests)
        with self.reporter.phase("train"):
            self._train(pairs, tests)
        with self.reporter.phase("decode"):
            self._decode(tests, base, self._tuned_answers())
        with self.reporter.phase("score"):
            self._score(tests, bool(base))
        self._tidy()

    @cached_property
    def base(self) -> Base:
        """The base model the spec names."""
        return resolve_base(self.spec.base, self.settings)

    def _prepare(self) -> tuple[tuple[NoisyPair, ...], Tests]:
        pairs, tests = prepare(
            self.folder, self.spec, self.settings, self.reporter, self._stop_if_asked
        )
        self._stop_if_asked()
        return pairs, tests

    def _load(self, pairs: Sequence[NoisyPair]) -> None:
        loaded = self._load_base()
        self._examples, dropped = encode(
            loaded.tokenizer,
            self._template,
            [pair.noisy for pair in pairs],
            self.spec.seed,
            self.spec.training.max_length or 512,
        )
        self._record(dropped_for_length=dropped)
        if dropped:
            self.reporter.emit(
                "note",
                text=f"{len(dropped)} pairs are longer than {self.spec.training.max_length} "
                "tokens and were left out",
            )
        self._stop_if_asked()

    def _load_base(self) -> Loaded:
        threads = set_threads(self.settings)
        self._loaded: Loaded | None = None
        loaded = self._model_at(self.spec.training.precision)
        self._template = Template.from_spec(self.spec, loaded.tokenizer)
        self._format, backend = self._form(loaded)
        self._digest = provenance.model_digest(self.base, loaded.revision)
        self._decoded = self._fitted(loaded)
        self._record(
            base={
                "name": self.base.name,
                "revision": loaded.revision,
                "digest": self._digest,
            },
            device=loaded.device,
            decoding_precision=backend["precision"],
            decoding_backend=backend,
            threads=threads,
            **({"devices": self.spec.devices} if self.spec.devices > 1 else {}),
        )
        return loaded

    def _fitted(self, loaded: Loaded) -> RunSpec:
        """The spec with batches that fit into memory: measured once, so that a resumed run has
        the same ones.
        """
        from mtlab.decoding import fitting_budget

        allowed = self.spec.decoding.token_budget or 0
        kept = fitted_budget(self.folder)
        budget = kept or fitting_budget(loaded, self.spec.decoding, processes=self.spec.devices)
        if budget < allowed and kept is None:
            text = f"memory is short: {budget} prompt tokens x beams a batch, not {allowed}"
            self.reporter.emit("note", text=text)
        self._record(token_budget=budget)
        return with_budget(self.spec, budget, self.reporter.status.halved)

    def _model_at(self, precision: Any) -> Loaded:
        """The untouched base model in a number format; the one in memory if it is that."""
        from mtlab.models import resolve_precision

        held = self._loaded
        if held is not None and resolve_precision(precision, held.device) == held.dtype_name:
            return held
        self._loaded = None
        self._loaded = load(
            self.base, precision=precision, revision=self.spec.revision, settings=self.settings
        )
        return self._loaded

    def _translate_base(self, tests: Tests) -> Answers:
        """The untuned base model's translations, from the cache where they are there.

        Each direction by itself: in bf16 an answer's last bits depend on its batch, and what is
        kept for other runs must not hang on what else this one is tested on.
        """
        result: Answers = {}
        cached: list[str] = []
        for stream in streams(tests, 0):
            (direction,) = stream.sources
            result[direction], known = self._base_answers(stream)
            cached += [str(direction)] if known else []
            self._count("base", direction, result[direction])
            self.reporter.progress(stream.share(stream.count))
        self._record(base_from_cache=cached)
        if cached:
            self.reporter.emit(
                "note", text=f"the base model's translations were kept for {', '.join(cached)}"
            )
        return result

    def _base_answers(self, stream: Stream) -> tuple[list[Hypothesis], bool]:
        """The untouched base's translations of one direction, and whether they were kept."""
        ((direction, sources),) = stream.sources.items()
        key = self._base_key(direction, sources)
        kept = base_cache.read_translations(self.settings, key, len(sources))
        if kept is not None:
            return kept, True
        loaded = self._model_at(self.spec.training.precision)
        partial = self._partial(stream, key, "base")
        made = self._translate(loaded, stream, partial)[direction]
        base_cache.keep_translations(self.settings, key, made)
        partial.drop()
        return made, False

    def _base_key(self, direction: Direction, sources: Sequence[str]) -> str:
        return base_cache.translation_key(
            self._digest, sources, direction, self._decoded, self._template, self._format
        )

    def _train(self, pairs: Sequence[NoisyPair], tests: Tests) -> None:
        from mtlab.runs.probing import Probe
        from mtlab.training import Place, fine_tune, last_checkpoint

        marker = self.folder / "trained.json"
        if marker.exists():
            self._loaded = None
            self.reporter.emit("note", text="training was already done; it was not repeated")
            return
        loaded = self._model_to_train()
        self._loaded = None  # it will not be the base model any more
        checkpoint = last_checkpoint(self.folder)
        probe = Probe(self.spec, tests, self._template, loaded, self.reporter)
        place = Place(0, self.spec.devices, self.spec.strategy)
        if checkpoint is not None:
            self.reporter.emit("note", text=f"training goes on from {checkpoint.name}")
        elif not place.shards:
            probe(0)
        if place.shards and self.spec.probe_size:
            text = "the model is in shares while it trains: there is no live probe"
            self.reporter.emit("note", text=text)
        self._stop_if_asked()
        shape = inspect(self.base, self.settings, self.spec.revision).shape
        training = settled_training(self.spec, shape, loaded, self._examples)
        if self.crew is not None:
            self.crew.train(self._examples)
        with self.crew.working() if self.crew is not None else nullcontext():
            trained = fine_tune(
                loaded,
                self._examples,
                training,
                self.spec.seed,
                self.folder,
                self.reporter.emit,
                self.should_stop,
                None if place.shards else probe,  # no process has the whole model then
                place,
            )
        facts = {
            "steps": trained.steps,
            "loss": trained.loss,
            "seconds": round(trained.seconds, 3),
            "target_tokens": trained.target_tokens,
            "kernels": list(trained.kernels),
            "gradient_checkpointing": training.gradient_checkpointing,
        }
        self._record(training=facts)
        if trained.stopped:
            self.reporter.emit(
                "note",
                text=f"stopped after step {trained.steps} of {self.spec.training.steps}; the model "
                "is kept as it was then, and was neither tested nor scored",
            )
            raise Stopped
        write_json(marker, facts)

    def _model_to_train(self) -> Loaded:
        """The untouched base in the format that it is trained in."""
        if self.spec.devices > 1 and self.spec.strategy == "fsdp":
            self._loaded = None
            return load_to_train(self.spec, self.settings)
        return self._model_at(weights_precision(self.spec))

    def _tuned_answers(self) -> Answering:
        """Translate with what was saved, loaded when the first direction needs it."""
        held: list[Loaded] = []

        def answer(stream: Stream) -> Answers:
            if not held:
                held.append(load_run(self.folder, self.spec, self.settings))
            model = provenance.folder_digest(saved_model(self.folder))
            key = self._key(held[0], stream, self._template, made=model)
            partial = self._partial(stream, key)
            return self._translate(held[0], stream, partial, which="run")

        return Answering(answer, most_together(self.spec.decoding))

    def _decode(self, tests: Tests, base: Answers, answering: Answering) -> None:
        """Translate the test sets, a whole stream of directions at a time, each once.

        A stream is asked again as a whole while one of its directions is not written: which
        sentences share a batch hangs on all of them, and its parts stay until all are written.
        """
        folder = self.folder / "translations"
        folder.mkdir(exist_ok=True)
        for stream in streams(tests, answering.together):
            paths = {direction: folder / f"{direction}.jsonl" for direction in stream.sources}
            left = [one for one in paths if len(read_lines(paths[one])) != len(tests[one])]
            answers = answering.to(stream) if left else {}
            for direction in left:
                self._count("decode", direction, answers[direction])
                rows = segment_rows(tests[direction], answers[direction], base.get(direction))
                write_lines(paths[direction], rows)
        drop_partials(self.folder)
        if self.crew is not None:
            self.crew.close()  # what COMET needs of a GPU must be free

    def _count(self, phase: Phase, direction: Direction, answers: Sequence[Hypothesis]) -> None:
        """Count a phase's answers, their tokens, and how many came to an end of their own."""
        self._answered.setdefault(phase, {})[str(direction)] = {
            "answers": len(answers),
            "tokens": sum(answer.tokens for answer in answers),
            "ended": sum(answer.ended for answer in answers),
        }

    def _key(
        self,
        loaded: Loaded,
        stream: Stream,
        template: Template,
        *,
        made: str | None = None,
    ) -> str:
        """What decides a stream's answers; `made` tells what the run made of its base."""
        model = self._digest if made is None else provenance.digest([self._digest, made])
        form, _ = self._form(loaded)
        return provenance.digest(
            [
                base_cache.translation_key(model, sources, direction, self._decoded, template, form)
                for direction, sources in stream.sources.items()
            ]
        )

    def _form(self, loaded: Loaded) -> tuple[str, dict[str, str]]:
        """How it is computed, as a part of a key; and the backend, for provenance."""
        from mtlab.decoding import described

        form, backend = (
            f"{loaded.device} {loaded.dtype_name}",
            described(loaded, self.spec.decoding),
        )
        if backend["name"] != "transformers":  # whose version the key has anyway
            form += ", {name} {version} {precision}".format(**backend)
        return form, backend

    def _partial(self, stream: Stream, key: str, whose: str = "run") -> Partial:
        """What an earlier attempt has translated of a stream, and where this one adds to it."""
        partial = Partial(self.folder, f"{next(iter(stream.sources))}.{whose}", key, stream.count)
        there = len(partial.read())
        if there:
            text = f"{there} of {stream.count} segments were translated before; it goes on"
            text = f"{stream.name}: {text}"
            self.reporter.emit("note", text=text)
        return partial

    def _translate(
        self,
        loaded: Loaded,
        stream: Stream,
        partial: Partial,
        template: Template | None = None,
        which: Which = "base",
    ) -> Answers:
        from mtlab.decoding import Asked, alone, translate_together

        asked = [
            Asked(one, source) for one, sources in stream.sources.items() for source in sources
        ]
        with self._watched(stream) as watched:
            found = translate_together(
                loaded,
                asked,
                self._decoded.decoding,
                template or self._template,
                seed=self.spec.seed,
                kept=partial,
                converted=self.settings.cache / "converted",
                tell=lambda text: self.reporter.emit("note", text=text),
                hands=alone if self.crew is None else self.crew.hands(which),
                **watched,
            )
        return stream.by_direction(found)

    @contextmanager
    def _watched(self, stream: Stream) -> Iterator[dict[str, Any]]:
        """What tells a decoder whom to tell of its progress, and whom to ask whether to go on."""
        from mtlab.decoding import DecodingStopped

        def on_progress(done: int, total: int) -> None:
            self.reporter.progress(stream.share(done), f"{stream.name} {done}/{total}")

        try:
            yield {"on_progress": on_progress, "should_stop": self.should_stop}
        except DecodingStopped:
            self._stop_if_asked()
            raise

    def _score(self, tests: Tests, with_base: bool) -> None:
        """Score the translations, and the base's where it is scored, one direction at a time."""
        keys: dict[Direction, str] = {}
        for direction, pairs in tests.items() if with_base else ():
            translations = self._base_key(direction, [pair.source for pair in pairs])
            references = [pair.target for pair in pairs]
            keys[direction] = base_cache.score_key(translations, references, self.spec)
        score_tests(
            self.folder,
            list(tests),
            self.spec,
            self.settings,
            self.reporter,
            keys,
            self._stop_if_asked,
        )

    def _tidy(self) -> None:
        """What only resuming needs goes; what was measured of the whole run is written down."""
        for path in self.folder.glob("checkpoint-*"):
            shutil.rmtree(path, ignore_errors=True)
        status = self.reporter.status
        self._record(
            seconds=status.seconds,
            cpu_seconds=round(time.process_time(), 1),
            peak_memory_mb=peak_memory_mb(),
            phases=self.reporter.measured,
            answers=self._answered,
            attempts=status.attempts,
        )

    def _record(self, **facts: Any) -> None:
        provenance.record(self.folder, **facts)

    def _stop_if_asked(self) -> None:
        if self.should_stop():
            text = "stopped; what was finished is kept"
            if (self.folder / "trained.json").exists():
                text = "stopped after training; the model is kept, and was not scored"
            self.reporter.emit("note", text=text)
            raise Stopped

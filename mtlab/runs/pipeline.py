"""What a run does, phase by phase: prepare, load, base, train, decode, score.

Everything that a phase finishes is written whole before the next begins, and found again by a
resumed run: training goes on from its checkpoint, a direction that was translated is not
translated again. Data is prepared before torch is imported, unless noise needs a translator.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtlab.corpora import Corpus, Draw, Pair, corpora_for, draw_for
from mtlab.models import Loaded, load, load_run, set_threads, weights_precision
from mtlab.noise import NoisyPair, corrupt
from mtlab.presets import Base, resolve_base
from mtlab.prompts import Template, encode
from mtlab.runs import base_cache, provenance
from mtlab.runs.files import read_lines, write_json, write_lines
from mtlab.runs.reporting import Reporter, peak_memory_mb
from mtlab.runs.scores import score_direction
from mtlab.runs.segments import segment_rows
from mtlab.scoring.comet import CometScorer
from mtlab.settings import Settings
from mtlab.spec import Direction, RunSpec

if TYPE_CHECKING:
    from mtlab.decoding import Hypothesis

Tests = dict[Direction, tuple[Pair, ...]]
Answering = Callable[[Direction, Sequence[str], int, int], "list[Hypothesis]"]
"""Translates a direction's sources; told which part of how many it is, for the progress."""


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
    """

    folder: Path
    spec: RunSpec
    settings: Settings
    reporter: Reporter
    should_stop: Callable[[], bool]

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
        base: dict[Direction, list[Hypothesis]] = {}
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
        spec = self.spec
        corpora = corpora_for(spec, self.settings)
        drawn = draw_for(spec, self.settings)
        pairs = self._corrupted(drawn, corpora.train)
        lines = [
            {**pair.to_json(), "reversed": True} if place in drawn.reversed else pair.to_json()
            for place, pair in enumerate(pairs)
        ]
        write_lines(self.folder / "train.jsonl", lines)
        tests = {
            direction: corpora.test.test(direction)[: spec.test_limit] for direction in spec.tested
        }
        self._record(
            versions=provenance.versions(),
            machine=provenance.machine(),
            pools=drawn.pool_sizes,
            removed_for_standing_in_the_test_set=drawn.removed,
            noisy_pairs=sum(bool(pair.touched) for pair in pairs),
            reversed_pairs=len(drawn.reversed),
            digests={
                "train": {str(d): corpora.train.digest(d, "train") for d in spec.drawn},
                "test": {str(d): corpora.test.digest(d, "test") for d in spec.tested},
                "pairs": provenance.digest([pair.to_json() for pair in pairs]),
            },
            segments={str(direction): len(segments) for direction, segments in tests.items()},
        )
        self._stop_if_asked()
        return pairs, tests

    def _corrupted(self, drawn: Draw, corpus: Corpus) -> tuple[NoisyPair, ...]:
        """The pairs as they will be trained on; loads a translator if noise needs one."""
        from mtlab.runs.resident import Resident
        from mtlab.runs.store import RunStore
        from mtlab.runs.translators import translator_for

        spec = self.spec
        translator = None
        if spec.noise.translator is not None:
            store = RunStore(self.settings)
            translator = translator_for(spec, store, Resident(self.settings))

        def on_progress(done: int, total: int) -> None:
            self.reporter.progress(done / max(1, total), f"noise {done}/{total}")
            self._stop_if_asked()

        try:
            return corrupt(
                drawn.pairs,
                spec.noise,
                spec.seed,
                corpus,
                self.settings,
                order=drawn.order,
                translator=translator,
                on_progress=on_progress,
            )
        finally:
            if translator is not None:
                translator.release()

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
        self._format = f"{loaded.device} {loaded.dtype_name}"
        self._digest = provenance.model_digest(self.base, loaded.revision)
        self._record(
            base={
                "name": self.base.name,
                "revision": loaded.revision,
                "digest": self._digest,
            },
            device=loaded.device,
            decoding_precision=loaded.dtype_name,
            threads=threads,
        )
        return loaded

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

    def _translate_base(self, tests: Tests) -> dict[Direction, list[Hypothesis]]:
        """The untuned base model's translations, from the cache where they are there."""
        result: dict[Direction, list[Hypothesis]] = {}
        cached: list[str] = []
        for number, (direction, pairs) in enumerate(tests.items()):
            sources = [pair.source for pair in pairs]
            result[direction], known = self._base_answers(direction, sources, number, len(tests))
            cached += [str(direction)] if known else []
            self.reporter.progress((number + 1) / len(tests))
        self._record(base_from_cache=cached)
        if cached:
            self.reporter.emit(
                "note", text=f"the base model's translations were kept for {', '.join(cached)}"
            )
        return result

    def _base_answers(
        self, direction: Direction, sources: Sequence[str], part: int, parts: int
    ) -> tuple[list[Hypothesis], bool]:
        """The untouched base's translations, and whether they were kept from before."""
        key = self._base_key(direction, sources)
        kept = base_cache.read_translations(self.settings, key, len(sources))
        if kept is not None:
            return kept, True
        loaded = self._model_at(self.spec.training.precision)
        made = self._translate(loaded, direction, sources, part, parts)
        base_cache.keep_translations(self.settings, key, made)
        return made, False

    def _base_key(self, direction: Direction, sources: Sequence[str]) -> str:
        return base_cache.translation_key(
            self._digest, sources, direction, self.spec, self._template, self._format
        )

    def _train(self, pairs: Sequence[NoisyPair], tests: Tests) -> None:
        from mtlab.runs.probing import Probe
        from mtlab.training import fine_tune, last_checkpoint

        marker = self.folder / "trained.json"
        if marker.exists():
            self._loaded = None
            self.reporter.emit("note", text="training was already done; it was not repeated")
            return
        loaded = self._model_at(weights_precision(self.spec))
        self._loaded = None  # it will not be the base model any more
        checkpoint = last_checkpoint(self.folder)
        probe = Probe(self.spec, tests, self._template, loaded, self.reporter)
        if checkpoint is not None:
            self.reporter.emit("note", text=f"training goes on from {checkpoint.name}")
        else:
            probe(0)
        self._stop_if_asked()
        trained = fine_tune(
            loaded,
            self._examples,
            self.spec.training,
            self.spec.seed,
            self.folder,
            self.reporter.emit,
            self.should_stop,
            probe,
        )
        facts = {
            "steps": trained.steps,
            "loss": trained.loss,
            "seconds": round(trained.seconds, 3),
            "target_tokens": trained.target_tokens,
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

    def _tuned_answers(self) -> Answering:
        """Translate with what was saved, loaded when the first direction needs it."""
        held: list[Loaded] = []

        def answer(
            direction: Direction, sources: Sequence[str], part: int, parts: int
        ) -> list[Hypothesis]:
            if not held:
                held.append(load_run(self.folder, self.spec, self.settings))
            return self._translate(held[0], direction, sources, part, parts)

        return answer

    def _decode(
        self, tests: Tests, base: dict[Direction, list[Hypothesis]], answer: Answering
    ) -> None:
        """Translate the test sets, a whole direction at a time, each once."""
        folder = self.folder / "translations"
        folder.mkdir(exist_ok=True)
        for number, (direction, pairs) in enumerate(tests.items()):
            path = folder / f"{direction}.jsonl"
            if len(read_lines(path)) == len(pairs):
                continue
            answers = answer(direction, [pair.source for pair in pairs], number, len(tests))
            write_lines(path, segment_rows(pairs, answers, base.get(direction)))

    def _translate(
        self,
        loaded: Loaded,
        direction: Direction,
        sources: Sequence[str],
        part: int,
        parts: int,
        template: Template | None = None,
    ) -> list[Hypothesis]:
        from mtlab.decoding import translate

        with self._watched(direction, part, parts) as watched:
            return translate(
                loaded,
                sources,
                direction,
                self.spec.decoding,
                template or self._template,
                seed=self.spec.seed,
                **watched,
            )

    @contextmanager
    def _watched(self, direction: Direction, part: int, parts: int) -> Iterator[dict[str, Any]]:
        """What tells a decoder whom to tell of its progress, and whom to ask whether to go on."""
        from mtlab.decoding import DecodingStopped

        def on_progress(done: int, total: int) -> None:
            share = (part + done / max(1, total)) / parts
            self.reporter.progress(share, f"{direction} {done}/{total}")

        try:
            yield {"on_progress": on_progress, "should_stop": self.should_stop}
        except DecodingStopped:
            self._stop_if_asked()
            raise

    def _score(self, tests: Tests, with_base: bool) -> None:
        with ExitStack() as stack:
            comet = None
            if "comet" in self.spec.metrics:
                # One worker for all directions; nothing is started before it is needed.
                scorer = CometScorer(
                    self.settings, self.spec.comet_model, on_progress=self._tell_of_comet
                )
                comet = stack.enter_context(scorer)
            self._score_with(comet, tests, with_base)

    def _tell_of_comet(self, share: float, text: str) -> None:
        self.reporter.progress(0.0, text)

    def _score_with(self, comet: CometScorer | None, tests: Tests, with_base: bool) -> None:
        scores: dict[str, Any] = {"scores": {}, "base": {}}
        for number, (direction, pairs) in enumerate(tests.items()):
            self._stop_if_asked()
            path = self.folder / "translations" / f"{direction}.jsonl"
            rows = read_lines(path)
            key = None
            if with_base:
                translations = self._base_key(direction, [pair.source for pair in pairs])
                references = [pair.target for pair in pairs]
                key = base_cache.score_key(translations, references, self.spec)
            own, base = score_direction(
                direction, rows, self.spec, self.settings, self.reporter, key, comet
            )
            write_lines(path, rows)
            scores["scores"][str(direction)] = own
            if base is not None:
                scores["base"][str(direction)] = base
            write_json(self.folder / "scores.json", scores)
            self.reporter.progress((number + 1) / len(tests))

    def _tidy(self) -> None:
        """What only resuming needs goes; what was measured of the whole run is written down."""
        for path in self.folder.glob("checkpoint-*"):
            shutil.rmtree(path, ignore_errors=True)
        status = self.reporter.status
        self._record(
            seconds=status.seconds,
            cpu_seconds=round(time.process_time(), 1),
            peak_memory_mb=peak_memory_mb(),
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

"""What a run that trains nothing does: prepare, load, base, decode, score.

It is a run like any other but for the training, so that it stands in the same tables. A base that
is taken as it is (`none`) shares its translations with the runs that score it beside their own.
"""

from __future__ import annotations

from collections.abc import Sequence

from mtlab.corpora import corpora_for
from mtlab.corpora.sampling import by_direction
from mtlab.errors import InputError
from mtlab.fewshot import FewShot
from mtlab.methods import FEW_SHOT
from mtlab.noise import NoisyPair
from mtlab.runs.files import read_json
from mtlab.runs.outputs import read_outputs
from mtlab.runs.pipeline import Pipeline
from mtlab.runs.preparing import Tests
from mtlab.runs.streams import Answering, Answers, Stream
from mtlab.runs.systems import TranslationModels, kind_of
from mtlab.streams import most_together


class Untrained(Pipeline):
    """One attempt at a run of few-shot prompting, or of a base as it is."""

    def run(self) -> None:
        """All phases; raises as `Pipeline.run`."""
        with self.reporter.phase("prepare"):
            pairs, tests = self._prepare()
        with self.reporter.phase("load"):
            answer = self._ready(pairs, tests)
            self._stop_if_asked()
        base: Answers = {}
        if self.spec.score_base:
            with self.reporter.phase("base"):
                base = self._translate_base(tests)
        with self.reporter.phase("decode"):
            self._decode(tests, base, answer)
        with self.reporter.phase("score"):
            self._score(tests, bool(base))
        self._tidy()

    def _ready(self, pairs: Sequence[NoisyPair], tests: Tests) -> Answering:
        """What translates; a model is in memory then, where there is one."""
        kind = kind_of(self.spec, self.settings)
        if kind == "outputs":
            return self._outputs(tests)
        if kind == "translation model":
            return self._translation_models(tests)
        self._load_base()
        if self.spec.training.method == FEW_SHOT:
            return self._prompted(FewShot(examples=by_direction(pair.noisy for pair in pairs)))
        return Answering(self._as_it_is)

    def _prompted(self, template: FewShot) -> Answering:
        def answer(stream: Stream) -> Answers:
            loaded = self._model_at(self.spec.training.precision)
            partial = self._partial(stream, self._key(loaded, stream, template))
            answers = self._translate(loaded, stream, partial, template)
            for direction, found in answers.items():
                missing = [one for one in found if one.note]
                if found and len(missing) == len(found):
                    raise InputError(
                        f"no source of {direction} fits into the model's context after "
                        f"{self.spec.size} examples",
                        field="size",
                        fix="show fewer examples",
                    )
                if missing:
                    text = f"{len(missing)} of {len(found)} sources of {direction} do not fit into "
                    self.reporter.emit("note", text=f"{text}the model's context after the examples")
            return answers

        return Answering(answer, most_together(self.spec.decoding))

    def _as_it_is(self, stream: Stream) -> Answers:
        (direction,) = stream.sources
        return {direction: self._base_answers(stream)[0]}

    def _translation_models(self, tests: Tests) -> Answering:
        models = TranslationModels(self.spec, self.settings)
        kept = (read_json(self.folder / "provenance.json") or {}).get("base") or {}
        found = dict(kept.get("models") or {})  # of an earlier attempt
        device = models.loaded(next(iter(tests))).device

        def answer(stream: Stream) -> Answers:
            ((direction, sources),) = stream.sources.items()
            found[str(direction)] = models.described(direction)
            self._record(base={"name": self.spec.base, "models": found}, device=device)
            key = models.key(sources, direction)
            partial = self._partial(stream, key)
            with self._watched(stream) as watched:
                answers = models.translate(sources, direction, kept=partial, **watched)
            return {direction: answers}

        return Answering(answer)

    def _outputs(self, tests: Tests) -> Answering:
        from mtlab.decoding import Hypothesis

        test = corpora_for(self.spec, self.settings).test
        found = {
            direction: read_outputs(self.spec, direction, len(test.test(direction)))
            for direction in tests
        }
        files = {
            str(direction): {"file": str(one.path), "sha256": one.sha256}
            for direction, one in found.items()
        }
        self._record(base={"name": self.spec.base, "files": files})

        def answer(stream: Stream) -> Answers:
            # A line is an answer that somebody ended; how many tokens it took is not known.
            return {
                direction: [Hypothesis(line, True, 0) for line in found[direction].lines]
                for direction in stream.sources
            }

        return Answering(answer)

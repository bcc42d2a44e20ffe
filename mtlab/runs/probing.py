"""How well a model translates while it is trained: a few test segments, greedily, now and then.

For looking at, never for choosing: no setting and no checkpoint depends on it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mtlab.corpora import Pair
from mtlab.prompts import Template
from mtlab.runs.reporting import Reporter
from mtlab.scoring.lexical import lexical_scores
from mtlab.scoring.values import Score
from mtlab.spec import Direction, RunSpec

if TYPE_CHECKING:
    from mtlab.models import Loaded

MOST_TOKENS = 96
"""A probe's answers are cut here: an untuned model often never ends."""

SAMPLES = 3


class Probe:
    """Called with a step, translates the probe set and emits a `probe` and three `sample` events.

    Args:
        spec: says how many segments in all; 0 turns the probe off.
        tests: the test sets; the first segments of each direction, in turns, are the probe set.
        template: the prompt.
        loaded: the model that is trained.
        reporter: where the events go.
    """

    def __init__(
        self,
        spec: RunSpec,
        tests: Mapping[Direction, Sequence[Pair]],
        template: Template,
        loaded: Loaded,
        reporter: Reporter,
    ) -> None:
        self._spec = spec
        self._template = template
        self._loaded = loaded
        self._reporter = reporter
        self._decoding = spec.decoding.by_transformers().model_copy(
            update={
                "strategy": "greedy",
                "max_new_tokens": min(MOST_TOKENS, spec.decoding.token_limit),
            }
        )
        self._pairs = _in_turns(tests, spec.probe_size)

    def __call__(self, step: int) -> None:
        """Translate, score and tell.

        Raises:
            OSError: an event cannot be written.
        """
        if not self._pairs:
            return
        directions: dict[str, Any] = {}
        signature = ""
        names = [pair.key + str(pair.direction) for pair in self._pairs]
        answers = dict(zip(names, self._translate(), strict=True))
        for direction in dict.fromkeys(pair.direction for pair in self._pairs):
            own = [pair for pair in self._pairs if pair.direction == direction]
            hypotheses = [answers[pair.key + str(direction)] for pair in own]
            scores, signature = _scores(direction, own, hypotheses)
            directions[str(direction)] = scores
        n = len(self._pairs)
        means = {
            metric: round(sum(one[metric] * one["n"] for one in directions.values()) / n, 2)
            for metric in ("bleu", "chrf")
        }
        self._reporter.emit(
            "probe",
            step=step,
            steps=self._spec.training.steps,
            **means,
            n=n,
            signature=signature,
            directions=directions,
        )
        for pair in self._pairs[:SAMPLES]:
            self._reporter.emit(
                "sample",
                step=step,
                direction=str(pair.direction),
                source=pair.source,
                reference=pair.target,
                hypothesis=answers[pair.key + str(pair.direction)],
            )

    def _translate(self) -> list[str]:
        from mtlab.decoding import Asked, translate_together

        asked = [Asked(pair.direction, pair.source) for pair in self._pairs]
        found = translate_together(self._loaded, asked, self._decoding, self._template)
        return [one.text for one in found]


def _scores(
    direction: Direction, pairs: Sequence[Pair], hypotheses: list[str]
) -> tuple[dict[str, Any], str]:
    """Corpus scores of a direction's probe set, and chrF's signature."""
    found: dict[str, Any] = {"n": len(pairs)}
    signature = ""
    references = [pair.target for pair in pairs]
    for metric in ("bleu", "chrf"):
        score = lexical_scores(metric, references, {"probe": hypotheses}, direction.target)["probe"]
        found[metric] = round(score.value, 2) if isinstance(score, Score) else 0.0
        if isinstance(score, Score):
            signature = score.signature
    return found, signature


def _in_turns(tests: Mapping[Direction, Sequence[Pair]], size: int) -> list[Pair]:
    """The first segments of every direction, one of each in turn, `size` in all at most."""
    longest = max((len(pairs) for pairs in tests.values()), default=0)
    turns = (pairs[i] for i in range(longest) for pairs in tests.values() if i < len(pairs))
    return [pair for pair, _ in zip(turns, range(size), strict=False)]

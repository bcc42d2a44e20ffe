"""Findings: sentences written from the data, cautious and checkable, each with its runs.

Every comparison that one call makes is Holm-corrected together with all others, over all metrics;
"no difference found" is said when the corrected p-value or the 95% interval says so. It does not
mean that there is none: the interval says how large one could still be. The intervals themselves
are not widened for the number of comparisons.

How much of a difference off-target output explains: the difference is computed again on the
segments that are in the right language in every run of both conditions, and the rest of the
difference is what off-target output explains. It is not said where fewer than `KEPT_AT_LEAST`
segments are left. BLEU is no sum over segments, so that this is a description, not a proof.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mtlab.errors import MtlabError
from mtlab.results.conditions import conditions
from mtlab.results.evidence import Evidence, Reader
from mtlab.results.labels import base_label
from mtlab.results.questions import Question, Side, questions
from mtlab.results.wording import Answer, Share, Transfer, sentence
from mtlab.scoring.bootstrap import SEED, percentile_interval
from mtlab.scoring.comparison import Comparison, corrected
from mtlab.scoring.significance import (
    Names,
    Sampled,
    compare_conditions,
    joined,
    sample,
    seed_averages,
)
from mtlab.settings import Settings
from mtlab.spec import Direction

SAMPLES = 10_000
"""Resamples at least. Holm multiplies p-values, so the smallest one has to be small."""

SAMPLES_PER_COMPARISON = 100

KEPT_AT_LEAST = 10
"""Fewer on-target segments than this say nothing of what off-target output explains."""


@dataclass(frozen=True)
class Finding:
    """One sentence and what it rests on.

    Attributes:
        kind: `base`, `size`, `direction` or `noise`.
        topic: finer: `untuned`, `bases`, `step`, `saturation`, `fewer`, `transfer`, `derailing`,
            `against clean`, `sides`, `hardly seen`.
        sentence: for people.
        directions: the test directions it speaks of.
        comparison: the numbers: difference, interval, p corrected, n, seeds, signature.
        runs: ids of the runs behind it, the baseline's first.
        more: other numbers, where they could be had: `explained` and `on_target_segments`, `ratio`,
            `ratio_low` and `ratio_high`, `baseline_off_target` and `system_off_target` (shares, 0
            to 1), `first_baseline` and `second_baseline` (the clean scores of two directions).
    """

    kind: str
    topic: str
    sentence: str
    directions: tuple[Direction, ...]
    comparison: Comparison
    runs: tuple[str, ...]
    more: Mapping[str, float]

    @property
    def found(self) -> bool:
        """Whether a difference was found."""
        return self.comparison.found

    def to_json(self) -> dict[str, Any]:
        """Everything as plain values."""
        return {
            "kind": self.kind,
            "topic": self.topic,
            "sentence": self.sentence,
            "directions": [str(direction) for direction in self.directions],
            "comparison": self.comparison.to_json(),
            "runs": list(self.runs),
            "more": dict(self.more),
        }


def findings(
    runs: Sequence[Evidence],
    settings: Settings | None = None,
    metrics: Sequence[str] = ("bleu",),
) -> list[Finding]:
    """What finished runs say about size, direction, noise and base.

    Runs that agree in all but the seed are one condition; conditions that differ in exactly one
    knob are compared, on the directions both tested, where the segments are the same. What cannot
    be compared is left out.

    Args:
        runs: finished; the order decides nothing.
        settings: where base models lie; from the environment if not given.
        metrics: `bleu`, `chrf` or `comet`.

    Returns:
        Sorted by kind; empty if no two conditions differ in one knob alone.
    """
    grouped = conditions(runs, settings or Settings.from_environment())
    asked = [question for metric in metrics for question in questions(grouped, metric)]
    bench = _Bench(Reader())
    asked = [question for question in asked if bench.can_answer(question)]
    samples = max(SAMPLES, SAMPLES_PER_COMPARISON * len(asked))
    bench.sample(asked, samples)
    compared = corrected([bench.compare(question) for question in asked])
    answers = [
        _with_more(Answer(question, comparison), bench)
        for question, comparison in zip(asked, compared, strict=True)
    ]
    return [_finding(answer) for answer in _saturated(answers)]


class _Bench:
    """Sampled conditions, kept per side, direction and metric."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self._sampled: dict[tuple[Any, ...], Sampled] = {}

    def can_answer(self, question: Question) -> bool:
        """Whether every run has the translations and scores, of the same segments."""
        for direction, _ in question.weights:
            tests = set()
            for side in (question.baseline, question.system):
                for run in side.runs(direction):
                    try:
                        self.reader.statistics(
                            run, direction, question.metric, untuned=side.untuned
                        )
                        segments = self.reader.segments(run, direction, untuned=side.untuned)
                    except MtlabError:
                        return False
                    tests.add((segments.sources, segments.references))
            if len(tests) != 1:
                return False
        return True

    def sample(self, asked: Sequence[Question], samples: int) -> None:
        """Sample all that the questions need: the same resamples for one number of segments."""
        needed: dict[tuple[str, str, int], dict[tuple[Any, ...], Any]] = {}
        for question in asked:
            for direction, _ in question.weights:
                for side in (question.baseline, question.system):
                    for run in side.runs(direction):
                        rows = self.reader.statistics(
                            run, direction, question.metric, untuned=side.untuned
                        )
                        batch = (str(direction), question.metric, rows.n)
                        key = (run.id, side.untuned, str(direction), question.metric)
                        needed.setdefault(batch, {})[key] = rows
        for systems in needed.values():
            done = sample(list(systems.values()), SEED, samples)
            self._sampled.update(zip(systems, done, strict=True))

    def side(self, side: Side, question: Question) -> Sampled:
        """A side over its seeds: the weighted sum over the question's directions."""
        parts = []
        for direction, weight in question.weights:
            seeds = [
                self._sampled[run.id, side.untuned, str(direction), question.metric]
                for run in side.runs(direction)
            ]
            parts.append((joined(seeds), weight))
        values = sum(weight * one.values for one, weight in parts)
        draws = None
        if all(one.draws is not None for one, _ in parts):
            draws = sum(weight * one.draws for one, weight in parts if one.draws is not None)
        return Sampled(np.asarray(values), None if draws is None else np.asarray(draws), _n(parts))

    def compare(self, question: Question) -> Comparison:
        """The comparison, not yet corrected."""
        one, other = question.baseline, question.system
        return compare_conditions(
            question.metric,
            Names(_name(one), _name(other), other.condition.runs[0].spec.comet_model),
            self.side(one, question),
            self.side(other, question),
            paired=_paired(question),
            trained=(not one.untuned, not other.untuned),
        )

    def off_target(self, side: Side, direction: Direction) -> float | None:
        """The share of off-target output, the mean over seeds; None where it was not sought."""
        shares = []
        for run in side.runs(direction):
            failed = self.reader.segments(run, direction, untuned=side.untuned).failed("off-target")
            if failed is None:
                return None
            shares.append(failed.mean())
        return float(np.mean(shares))

    def mean(self, side: Side, direction: Direction, metric: str) -> float:
        """A side's score in one direction, the mean over its seeds."""
        seeds = [
            self._sampled[run.id, side.untuned, str(direction), metric].values
            for run in side.runs(direction)
        ]
        return float(np.concatenate(seeds).mean())

    def transfer(self, question: Question) -> Transfer | None:
        """What share of the baseline's score the system keeps, with its interval."""
        one, other = self.side(question.baseline, question), self.side(question.system, question)
        below = float(one.values.mean())
        averages = seed_averages((one, other), paired=_paired(question))
        if averages[0] is None or averages[1] is None or below <= 0 or averages[0].min() <= 0:
            return None
        low, high = percentile_interval(averages[1] / averages[0])
        return Transfer(float(other.values.mean()) / below, low, high)

    def explained(self, question: Question, difference: float) -> Share | None:
        """How much of a difference goes when off-target segments are left out."""
        kept = None
        direction = question.direction
        for side in (question.baseline, question.system):
            for run in side.runs(direction):
                segments = self.reader.segments(run, direction, untuned=side.untuned)
                failed = segments.failed("off-target")
                if failed is None:
                    return None
                kept = failed == 0 if kept is None else kept & (failed == 0)
        if kept is None or kept.all() or kept.sum() < KEPT_AT_LEAST:
            return None
        values = []
        for side in (question.baseline, question.system):
            scores = [
                self.reader.statistics(
                    run, question.direction, question.metric, untuned=side.untuned
                )
                .where(kept)
                .score()
                for run in side.runs(direction)
            ]
            values.append(float(np.mean(scores)))
        return Share(difference - (values[1] - values[0]), int(kept.sum()), len(kept))


def _with_more(answer: Answer, bench: _Bench) -> Answer:
    question = answer.question
    one, other = question.baseline, question.system
    shares = bench.off_target(one, question.direction), bench.off_target(other, question.direction)
    if shares[0] is not None and shares[1] is not None:
        answer = replace(answer, off_target=(shares[0], shares[1]))
    if question.topic == "transfer":
        return replace(answer, transfer=bench.transfer(question))
    if question.topic == "hardly seen":
        clean = [bench.mean(one, direction, question.metric) for direction, _ in question.weights]
        return replace(answer, heights=(clean[0], clean[1]))
    if question.topic in ("against clean", "fewer"):
        share = bench.explained(question, answer.comparison.difference)
        return replace(answer, explained=share)
    return answer


def _saturated(answers: Sequence[Answer]) -> list[Answer]:
    """Of the comparisons with the largest size, keep the smallest from where nothing is found.

    Those of every larger size have to have found nothing either, the last step included.
    """
    kept: list[Answer] = []
    for answer in answers:
        if answer.question.topic != "to the largest":
            kept.append(answer)
            continue
        rivals = [other for other in answers if _same_end(answer, other)]
        size = answer.question.baseline.condition.size
        larger = [o for o in rivals if o.question.baseline.condition.size >= size]
        smaller = [o for o in rivals if o.question.baseline.condition.size < size]
        before = max(smaller, key=lambda o: o.question.baseline.condition.size, default=None)
        flat = not any(other.comparison.found for other in larger)
        if flat and (before is None or before.comparison.found):
            kept.append(answer)
    return kept


def _same_end(one: Answer, other: Answer) -> bool:
    """Whether both hold a size against the same largest one, in one direction and metric."""
    first, second = one.question, other.question
    return (
        second.kind == "size"
        and first.system.condition is second.system.condition
        and (first.weights, first.metric) == (second.weights, second.metric)
    )


def _finding(answer: Answer) -> Finding:
    question = answer.question
    runs = [
        run.id
        for side in (question.baseline, question.system)
        for direction, _ in question.weights
        for run in side.runs(direction)
    ]
    topic = "saturation" if question.topic == "to the largest" else question.topic
    return Finding(
        kind=question.kind,
        topic=topic,
        sentence=sentence(answer),
        directions=tuple(direction for direction, _ in question.weights),
        comparison=answer.comparison,
        runs=tuple(dict.fromkeys(runs)),
        more=answer.more,
    )


def _paired(question: Question) -> bool:
    one, other = question.baseline, question.system
    return not one.untuned and one.condition.seeds == other.condition.seeds


def _n(parts: Sequence[tuple[Sampled, float]]) -> int:
    return sum(one.n for one, _ in parts)


def _name(side: Side) -> str:
    one = side.condition
    if side.untuned:
        return f"{one.base} untuned"
    noise = f", {one.noise.kind} noise on the {one.noise.side}" if one.noise else ""
    if not one.train:
        return f"{base_label(one.base)}, {one.amount}"
    return f"{one.base}, {one.size:,} pairs, {one.trained_on}{noise}"

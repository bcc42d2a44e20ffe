"""Findings: sentences written from the data, cautious and checkable, each with its runs.

Every comparison that one call makes is Holm-corrected together with all others, over all metrics;
"no difference found" is said when the corrected p-value or the 95% interval says so. It does not
mean that there is none: the interval says how large one could still be. The intervals themselves
are not widened for the number of comparisons.

How much of a difference off-target output explains: the difference is computed again on the
segments that are in the right language in every run of both conditions, and the rest of the
difference is what off-target output explains. It is not said where fewer than ten such segments are
left. BLEU is no sum over segments, so that this is a description, not a proof.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mtlab.results.answer import Answer
from mtlab.results.bench import Bench
from mtlab.results.conditions import conditions
from mtlab.results.evidence import Evidence, Reader
from mtlab.results.questions import questions
from mtlab.results.wording import sentence
from mtlab.scoring.comparison import Comparison
from mtlab.settings import Settings
from mtlab.spec import Direction

SAMPLES = 10_000
"""Resamples at least. Holm multiplies p-values, so the smallest one has to be small."""

SAMPLES_PER_COMPARISON = 100


@dataclass(frozen=True)
class Finding:
    """One sentence and what it rests on.

    Attributes:
        kind: one of `mtlab.results.question.KINDS`.
        topic: finer: `untuned`, `bases`; `step`, `saturation`, `kept`; `fewer`, `transfer`,
            `derailing`; `against clean`, `sides`, `ratio`, `hardly seen`; `reversed`, `cured`;
            `cycle`, `accumulating`; `methods`, `systems`; `setting`.
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
    """What finished runs say about base, size, direction and noise, and what comes after the paper.

    Runs that agree in all but the seed are one condition; conditions that differ in exactly one
    knob are compared, on the directions both tested, where the segments are the same. What cannot
    be compared is left out.

    Args:
        runs: finished; the order decides nothing.
        settings: where base models lie; from the environment if not given.
        metrics: of `mtlab.results.labels.METRICS`.

    Returns:
        Sorted by kind; empty if no two conditions differ in one knob alone.
    """
    grouped = conditions(runs, settings or Settings.from_environment())
    asked = [
        question
        for place, metric in enumerate(metrics)
        for question in questions(grouped, metric)
        if question.metric == metric or place == 0  # of off-target output it is asked once
    ]
    bench = Bench(Reader())
    asked = [question for question in asked if bench.can_answer(question)]
    samples = max(SAMPLES, SAMPLES_PER_COMPARISON * len(asked))
    return [_finding(answer) for answer in _saturated(bench.answer(asked, samples))]


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
        for term, _ in side.terms(direction)
        for run in term
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

"""Many questions answered at once: what they need is resampled once, and not kept longer than that.

A side of a question is made of terms, each the runs of a condition in one direction. Resampling a
term gives a score for every resample, its seeds averaged; some hundred conditions with tens of
thousands of resamples do not fit into memory together, so that questions are answered in batches.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mtlab.errors import MtlabError
from mtlab.results.answer import Answer, Share, Transfer
from mtlab.results.evidence import Evidence, Reader
from mtlab.results.labels import base_label
from mtlab.results.question import Question, Side
from mtlab.scoring.bootstrap import SEED, Floats, percentile_interval
from mtlab.scoring.comparison import corrected
from mtlab.scoring.sampling import score_blocks, seed_picks
from mtlab.scoring.significance import Averaged, Names, compare_averaged
from mtlab.scoring.statistics import SegmentStatistics
from mtlab.spec import Direction

KEPT_AT_LEAST = 10
"""Fewer on-target segments than this say nothing of what off-target output explains."""

_MOST_BYTES = 400_000_000
"""Of scores of resamples held at once."""


@dataclass(frozen=True)
class _Term:
    """The runs of a condition in one direction, and how their seeds are drawn.

    Attributes:
        runs: their ids.
        untuned: the first run's untuned base in their place.
        direction: as text.
        metric: what is scored.
        stream: of `seed_picks`; 0 where there is one seed, which is not drawn.
    """

    runs: tuple[str, ...]
    untuned: bool
    direction: str
    metric: str
    stream: int


class Bench:
    """Where questions are answered.

    Args:
        reader: reads translations and counts their n-grams.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._runs: dict[str, Evidence] = {}

    def can_answer(self, question: Question) -> bool:
        """Whether every run has the translations and scores, of the same segments."""
        for direction, _ in question.weights:
            first = None
            for side in (question.baseline, question.system):
                for run, untuned in _scored(side, direction):
                    try:
                        self._reader.statistics(run, direction, question.metric, untuned=untuned)
                        segments = self._reader.segments(run, direction, untuned=untuned)
                    except MtlabError:
                        return False
                    test = segments.sources, segments.references
                    if first is not None and first != test:
                        return False
                    first = test
        return True

    def answer(self, asked: Sequence[Question], samples: int) -> list[Answer]:
        """The answers, in the order of the questions, corrected together.

        Args:
            asked: questions that it can answer.
            samples: resamples.
        """
        found: dict[int, Answer] = {}
        for places in self._batches(asked, samples):
            terms = dict.fromkeys(t for place in places for t in self._terms(asked[place]))
            draws = self._resampled(terms, samples)
            for place in places:
                found[place] = self._answer(asked[place], draws)
            del draws  # or those of the next batch would lie beside them
        answers = [found[place] for place in range(len(asked))]
        compared = corrected([answer.comparison for answer in answers])
        return [
            replace(answer, comparison=comparison)
            for answer, comparison in zip(answers, compared, strict=True)
        ]

    def _batches(self, asked: Sequence[Question], samples: int) -> Iterator[list[int]]:
        """The places of questions whose terms fit into memory together, direction by direction."""
        most = max(2, _MOST_BYTES // (8 * samples))

        def together(place: int) -> tuple[bool, str, str]:
            question = asked[place]
            return len(question.weights) > 1, str(question.direction), question.metric

        batch: list[int] = []
        held: set[_Term] = set()
        for place in sorted(range(len(asked)), key=together):
            needed = set(self._terms(asked[place]))
            if batch and len(held | needed) > most:
                yield batch
                batch, held = [], set()
            batch.append(place)
            held |= needed
        if batch:
            yield batch

    def _terms(self, question: Question) -> list[_Term]:
        """The terms of both sides in every direction."""
        return [
            term
            for place, side in enumerate((question.baseline, question.system))
            for direction, _ in question.weights
            for term, _ in self._weighed(question, side, direction, place)
        ]

    def _weighed(
        self, question: Question, side: Side, direction: Direction, place: int
    ) -> list[tuple[_Term, float]]:
        """The terms of one side in one direction, each with its weight."""
        stream = 1 if is_paired(question) else 1 + place
        found = []
        for runs, weight in side.terms(direction):
            self._runs.update((run.id, run) for run in runs)
            ids = tuple(run.id for run in runs)
            drawn = stream if len(ids) > 1 else 0
            term = _Term(ids, side.untuned, str(direction), question.metric, drawn)
            found.append((term, weight))
        return found

    def _rows(self, term: _Term) -> list[SegmentStatistics]:
        direction = Direction.parse(term.direction)
        return [
            self._reader.statistics(self._runs[run], direction, term.metric, untuned=term.untuned)
            for run in term.runs
        ]

    def _resampled(self, terms: Iterable[_Term], samples: int) -> dict[_Term, Floats | None]:
        """Each term's score over each resample, its seeds averaged; None of one segment."""
        found: dict[_Term, Floats | None] = {}
        alike: dict[tuple[str, str, int], list[_Term]] = {}
        for term in terms:
            n = self._rows(term)[0].n
            if n < 2:
                found[term] = None
            else:
                alike.setdefault((term.direction, term.metric, n), []).append(term)
        for group in alike.values():
            found.update(self._of_one_test(group, samples))
        return found

    def _of_one_test(self, terms: Sequence[_Term], samples: int) -> dict[_Term, Floats]:
        """The same of terms over the same segments: one draw for all of them."""
        places: dict[tuple[str, bool], int] = {}
        rows: list[SegmentStatistics] = []
        for term in terms:
            for run, counted in zip(term.runs, self._rows(term), strict=True):
                if (run, term.untuned) not in places:
                    places[run, term.untuned] = len(rows)
                    rows.append(counted)
        shapes: dict[tuple[int, int], list[_Term]] = {}
        for term in terms:
            shapes.setdefault((len(term.runs), term.stream), []).append(term)
        picks = {
            (seeds, stream): seed_picks(seeds, samples, stream=stream)
            for seeds, stream in shapes
            if seeds > 1
        }
        columns = {
            shape: np.array([[places[run, term.untuned] for run in term.runs] for term in alike])
            for shape, alike in shapes.items()
        }
        found = {term: np.empty(samples) for term in terms}
        for start, scores in score_blocks(rows, SEED, samples):
            block = slice(start, start + len(scores))
            for shape, alike in shapes.items():
                seeds = scores[:, columns[shape]]  # (resamples, terms, seeds)
                if shape in picks:
                    drawn = picks[shape][:, block].T[:, None, :]
                    averages = np.take_along_axis(seeds, drawn, axis=2).mean(axis=2)
                else:
                    averages = seeds[:, :, 0]
                for column, term in enumerate(alike):
                    found[term][block] = averages[:, column]
        return found

    def _answer(self, question: Question, draws: dict[_Term, Floats | None]) -> Answer:
        one, other = question.baseline, question.system
        sides = [
            self._side(question, side, place, draws) for place, side in enumerate((one, other))
        ]
        names = Names(_name(one), _name(other), other.condition.runs[0].spec.comet_model)
        comparison = compare_averaged(question.metric, names, *sides, paired=is_paired(question))
        answer = Answer(question, comparison)
        shares = [self._off_target(side, question.direction) for side in (one, other)]
        if shares[0] is not None and shares[1] is not None:
            answer = replace(answer, off_target=(shares[0], shares[1]))
        if question.topic in ("transfer", "kept"):
            return replace(answer, transfer=_transfer(*sides))
        if question.topic == "hardly seen":
            clean = [
                self._value(self._weighed(question, one, direction, 0)[0][0])
                for direction, _ in question.weights
            ]
            return replace(answer, heights=(clean[0], clean[1]))
        if question.topic in ("against clean", "fewer"):
            return replace(answer, explained=self._explained(question, comparison.difference))
        return answer

    def _side(
        self, question: Question, side: Side, place: int, draws: dict[_Term, Floats | None]
    ) -> Averaged:
        """A side over its seeds: the weighted sum over the question's directions."""
        value, n, total = 0.0, 0, None
        has_draws = True
        for direction, weight in question.weights:
            n += self._rows(self._weighed(question, side, direction, place)[0][0])[0].n
            for term, factor in self._weighed(question, side, direction, place):
                value += weight * factor * self._value(term)
                part = draws[term]
                if part is None:
                    has_draws = False
                    continue
                part = weight * factor * part
                total = part if total is None else total + part
        seeds = None if side.untuned else len(side.condition.runs)
        return Averaged(value, total if has_draws else None, n, seeds)

    def _value(self, term: _Term) -> float:
        """The mean over its seeds, over all segments."""
        return float(np.mean([one.score() for one in self._rows(term)]))

    def _off_target(self, side: Side, direction: Direction) -> float | None:
        """The share of off-target output, the mean over seeds; None where it was not sought."""
        shares = []
        for run in side.runs(direction):
            segments = self._reader.segments(run, direction, untuned=side.untuned)
            failed = segments.failed("off-target")
            if failed is None:
                return None
            shares.append(failed.mean())
        return float(np.mean(shares))

    def _explained(self, question: Question, difference: float) -> Share | None:
        """How much of a difference goes when off-target segments are left out."""
        kept = None
        direction = question.direction
        for side in (question.baseline, question.system):
            for run in side.runs(direction):
                segments = self._reader.segments(run, direction, untuned=side.untuned)
                failed = segments.failed("off-target")
                if failed is None:
                    return None
                kept = failed == 0 if kept is None else kept & (failed == 0)
        if kept is None or kept.all() or kept.sum() < KEPT_AT_LEAST:
            return None
        values = []
        for side in (question.baseline, question.system):
            scores = [
                self._reader.statistics(run, direction, question.metric, untuned=side.untuned)
                .where(kept)
                .score()
                for run in side.runs(direction)
            ]
            values.append(float(np.mean(scores)))
        return Share(difference - (values[1] - values[0]), int(kept.sum()), len(kept))


def is_paired(question: Question) -> bool:
    """Whether both sides have the same seeds, which are then drawn together."""
    one, other = question.baseline, question.system
    return not one.untuned and one.condition.seeds == other.condition.seeds


def _transfer(baseline: Averaged, system: Averaged) -> Transfer | None:
    """What share of the baseline's score the system keeps, with its interval."""
    if baseline.draws is None or system.draws is None:
        return None
    if baseline.value <= 0 or baseline.draws.min() <= 0:
        return None
    low, high = percentile_interval(system.draws / baseline.draws)
    return Transfer(system.value / baseline.value, low, high)


def _scored(side: Side, direction: Direction) -> Iterator[tuple[Evidence, bool]]:
    """Every run that a side needs, and whether it is its untuned base that is needed."""
    for runs, _ in side.terms(direction):
        for run in runs:
            yield run, side.untuned


def _name(side: Side) -> str:
    one = side.condition
    if side.untuned:
        return f"{one.base} untuned"
    noise = f", {one.noise.kind} noise on the {one.noise.side}" if one.noise else ""
    if not one.train:
        return f"{base_label(one.base)}, {one.amount}"
    since = f", since cycle {side.less.cycle}" if side.less is not None else ""
    return f"{one.base}, {one.size:,} pairs, {one.trained_on}{noise}{since}"

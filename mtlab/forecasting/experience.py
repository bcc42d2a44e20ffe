"""What finished runs of a home teach: how far the physics was off, and how long answers are.

Each finished run says, phase by phase, by how much it took longer or shorter than its work and the
machine's rates would have it. A run to come is corrected by those most like it: the logarithm of
that factor is a Gaussian process over the size of the model, the size of the work and the method,
whose mean without any run is "as the physics says". Far from all runs the forecast stays there, and
its interval is wide.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from mtlab.forecasting.habits import Answered, at_first
from mtlab.forecasting.machine import Machine
from mtlab.forecasting.memory import memory_of
from mtlab.forecasting.physics import Answers, seconds_of
from mtlab.forecasting.work import Batches, Work
from mtlab.methods import NONE
from mtlab.runs.files import read_json
from mtlab.runs.folders import RunRecord
from mtlab.runs.provenance import versions
from mtlab.runs.store import RunStore
from mtlab.spec import Direction, RunSpec

MOST = 40
"""Finished runs that are looked at, the newest."""

_ALL, _ALIKE, _SAME = 0.3, 0.3, 0.15  # what is shared by all runs, by like ones, by the same base
_NOISE, _MEMORY_NOISE, _AGEING = 0.1, 0.045, 0.004
_STRAINED = 0.15  # how much less a phase is believed that waited for the processor
_UNSTRAINED = 1.3  # seconds on the clock for each of the processor's that are no waiting
_MODEL_SCALE, _WORK_SCALE = 1.2, 1.5  # of logarithms
_OTHER_METHOD = 0.5
_LIKE: dict[str, str] = {"base": "decode"}  # the untuned base is translated with as the tuned one
MEMORY = "memory"
_MEMORY_SHARE = 0.2  # of the above: the memory's model is the better one

_OTHER_DIRECTION = 0.1  # what an answer in one direction says of another's


@dataclass(frozen=True)
class Lesson:
    """One finished run, as far as it teaches something.

    Attributes:
        run: its id.
        spec: what was run.
        work: what it had to do.
        seconds: what each phase took.
        peak: the largest resident size of its process, in bytes.
        answered: of the phases that translated, by direction, how long answers were, and how many
            that was; under `""` where a run has not told directions apart.
        processor: the processor's seconds of each phase, where they were noted; those of other
            processes than the run's are not in it.
        keeps: the directions whose translations by the untuned base this run has left, for others.
        age: how many runs have finished since.
    """

    run: str
    spec: RunSpec
    work: Work
    seconds: Mapping[str, float]
    peak: float
    answered: Mapping[str, Mapping[str, Answered]] = field(default_factory=dict)
    processor: Mapping[str, float] = field(default_factory=dict)
    keeps: tuple[Direction, ...] = ()
    age: int = 0

    def answers(self, phase: str) -> Answers | None:
        """How long a phase's answers were; None where it translated nothing anew."""
        answered = self.answered.get(phase)
        if not answered:
            return None
        together = _mean((one.answers, one.number) for one in answered.values())
        return replace(together, by={name: one.answers for name, one in answered.items()})


@dataclass(frozen=True)
class Correction:
    """A factor that finished runs have taught, and how sure it is.

    Attributes:
        factor: of the physics' number.
        spread: the standard deviation of its logarithm.
        nearest: the run that counted most; None where none counted.
        weight: how alike that is, 0 to 1.
    """

    factor: float
    spread: float
    nearest: str | None = None
    weight: float = 0.0


class Experience:
    """The finished runs of a home.

    Args:
        lessons: what they teach, the newest first.
        machine: whose rates the physics goes by.
    """

    def __init__(self, lessons: Sequence[Lesson], machine: Machine) -> None:
        self.lessons = tuple(lessons)
        self.machine = machine
        self._points: dict[str, list[_Point]] = {}
        for lesson in self.lessons:
            for point in _points(lesson, machine):
                self._points.setdefault(point.phase, []).append(point)
        self._solved: dict[str, Any] = {}

    def answers(self, spec: RunSpec, phase: str) -> Answers:
        """How long the answers of a phase, `base` or `decode`, will be."""
        by = {str(one): self._answers(spec, phase, str(one)) for one in spec.tested}
        return replace(self._answers(spec, phase), by=by)

    def _answers(self, spec: RunSpec, phase: str, direction: str = "") -> Answers:
        told: list[tuple[Answers, float]] = [at_first(spec, phase, direction)]
        for lesson in self.lessons:
            if lesson.spec.base != spec.base:
                continue
            like = _likeness(spec, lesson.spec, phase)
            for other, (answers, number) in lesson.answered.get(phase, {}).items():
                same = direction in ("", other)
                told.append((answers, like * number * (1.0 if same else _OTHER_DIRECTION)))
        return _mean(told)

    def correction(self, spec: RunSpec, work: Work, phase: str, value: float) -> Correction:
        """What finished runs say of the physics' number for a phase, or for `memory`."""
        import numpy as np

        phase = _LIKE.get(phase, phase)
        points = self._points.get(phase, [])
        new = _Point("", phase, spec, work.shape.parameters, max(value, 1e-6), 0.0, 0)
        share = self._share(phase)
        before = share * _kernel(new, new)
        if not points:
            return Correction(1.0, math.sqrt(before))
        if phase not in self._solved:
            least = _MEMORY_NOISE if phase == MEMORY else _NOISE
            noise = np.diag([(least + _AGEING * one.age + one.doubt) ** 2 for one in points])
            among = np.array([[_kernel(one, other) for other in points] for one in points])
            self._solved[phase] = np.linalg.inv(share * among + noise)
        inverse = self._solved[phase]
        towards = share * np.array([_kernel(new, one) for one in points])
        mean = float(towards @ inverse @ np.array([one.residual for one in points]))
        spread = math.sqrt(max(1e-4, before - float(towards @ inverse @ towards)))
        best = int(np.argmax(towards))
        return Correction(math.exp(mean), spread, points[best].run, float(towards[best]) / before)

    def kept(self, spec: RunSpec) -> frozenset[Direction]:
        """The tested directions whose translations by the untuned base a finished run has kept."""
        found = (one.keeps for one in self.lessons if _asks_the_same(one.spec, spec))
        return frozenset(spec.tested) & frozenset(itertools.chain.from_iterable(found))

    def _share(self, phase: str) -> float:
        """What the kernel is multiplied with, by how much the physics is to be trusted."""
        if phase == MEMORY:
            return _MEMORY_SHARE**2
        return 1.0 if self.machine.is_measured else 4.0


def experience_of(store: RunStore, machine: Machine, but: str | None = None) -> Experience:
    """What a home's newest finished runs teach.

    Args:
        store: the home's runs.
        machine: whose rates the physics goes by.
        but: a run that is left out.
    """
    lessons: list[Lesson] = []
    for record in store.list():
        if record.id != but and (lesson := lesson_of(store, record, len(lessons))) is not None:
            lessons.append(lesson)
            if len(lessons) >= MOST:
                break
    return Experience(lessons, machine)


def lesson_of(store: RunStore, record: RunRecord, age: int = 0) -> Lesson | None:
    """What a run teaches; None where it has not finished in one go, or did not note its work."""
    status = store.written_status(record.id)
    if status is None or status.state != "finished" or status.attempts != 1 or status.halved:
        return None
    facts = read_json(record.folder / "provenance.json") or {}
    try:
        work = Work.from_json(facts["work"])
        peak = float(facts["peak_memory_mb"]) * 1e6
        seconds = {str(name): float(value) for name, value in status.seconds.items()}
        if facts.get("base_from_cache"):
            seconds.pop("base", None)
        answered = _answered(facts.get("answers") or {}, work)
        measured = facts.get("phases") or {}
        processor = {name: float(one["cpu_seconds"]) for name, one in measured.items()}
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
    spec = record.spec
    leaves = spec.score_base or spec.training.method == NONE
    if spec.decoding.strategy == "sample" or facts.get("versions") != dict(versions()):
        leaves = False
    keeps = spec.tested if leaves else ()
    return Lesson(record.id, spec, work, seconds, peak, answered, processor, keeps, age)


def _asks_the_same(one: RunSpec, other: RunSpec) -> bool:
    """Whether two runs ask the untuned base for the same: of it, the test sets, and how."""
    return (
        all(
            getattr(one, name) == getattr(other, name)
            for name in ("base", "revision", "template", "decoding", "test_corpus", "test_limit")
        )
        and one.training.precision == other.training.precision
    )


def _answered(
    counted: Mapping[str, Mapping[str, Any]], work: Work
) -> dict[str, dict[str, Answered]]:
    found: dict[str, dict[str, Answered]] = {}
    for phase, batches in (("base", work.base), ("decode", work.own)):
        told = counted.get(phase) or {}
        by = {"": told} if "answers" in told else told
        found[phase] = {
            direction: Answered(_counted(one, direction, batches), float(one["answers"]))
            for direction, one in by.items()
            if batches and one["answers"]
        }
    return found


def _counted(one: Mapping[str, float], direction: str, batches: Sequence[Batches]) -> Answers:
    number, ended = float(one["answers"]), float(one["ended"])
    open_tokens = (number - ended) * batches[0].limit
    mean = max(0.0, float(one["tokens"]) - open_tokens) / max(1.0, ended)
    asked = [it for it in batches if it.direction == direction] or batches
    counts = [(it.sentences * it.count, it.answer) for it in asked]
    reference = sum(count * answer for count, answer in counts) / sum(count for count, _ in counts)
    return Answers(ended / number, max(0.05, mean / reference if ended else 1.0))


def _mean(told: Iterable[tuple[Answers, float]]) -> Answers:
    """Of answers, each with its weight; of ratios that of their logarithms."""
    weights = ended = ratio = 0.0
    for answers, weight in told:
        weights += weight
        ended += weight * answers.ended
        ratio += weight * math.log(answers.ratio)
    return Answers(ended / weights, math.exp(ratio / weights))


@dataclass(frozen=True)
class _Point:
    """A phase of a run: where it stands, and by how much the physics was off."""

    run: str
    phase: str
    spec: RunSpec
    parameters: int
    value: float
    residual: float
    age: int
    doubt: float = 0.0


def _points(lesson: Lesson, machine: Machine) -> list[_Point]:
    base = lesson.answers("base") or at_first(lesson.spec, "base").answers
    own = lesson.answers("decode") or at_first(lesson.spec, "decode").answers
    told: dict[str, float] = dict(seconds_of(lesson.work, base, own, machine).items())
    told[MEMORY] = memory_of(lesson.work, lesson.spec.training, base, own)
    took: dict[str, float] = {**lesson.seconds, MEMORY: lesson.peak}
    return [
        _Point(
            lesson.run,
            _LIKE.get(phase, phase),
            lesson.spec,
            lesson.work.shape.parameters,
            value,
            math.log(took[phase] / value),
            lesson.age,
            _doubt(phase, took[phase], lesson.processor),
        )
        for phase, value in told.items()
        if value > 0 and took.get(phase, 0) > 0
    ]


def _doubt(phase: str, took: float, processor: Mapping[str, float]) -> float:
    """How little a phase's time is believed: beside other work it waited for the processor, and
    will wait for longer or shorter the next time. COMET scores in another process.
    """
    used = processor.get(phase, 0.0)
    if phase in (MEMORY, "score") or not used:
        return 0.0
    return _STRAINED * max(0.0, math.log(took / (_UNSTRAINED * used)))


def _kernel(a: _Point, b: _Point) -> float:
    model = math.log(a.parameters / b.parameters) / _MODEL_SCALE
    work = math.log(a.value / b.value) / _WORK_SCALE
    near = math.exp(-0.5 * (model * model + work * work))
    same = float(a.spec.base == b.spec.base)
    if a.spec.training.method != b.spec.training.method:
        near, same = near * _OTHER_METHOD, same * _OTHER_METHOD
    alike = (a.spec.training.precision == b.spec.training.precision) + (
        a.spec.decoding.strategy == b.spec.decoding.strategy
        and a.spec.decoding.backend == b.spec.decoding.backend
    )
    near *= (1 + alike) / 3
    return _ALL**2 + _ALIKE**2 * near + _SAME**2 * same


def _likeness(a: RunSpec, b: RunSpec, phase: str) -> float:
    """How much one run says of another's answers, 0 to 1."""
    shared = len(set(a.tested) & set(b.tested)) / max(1, len(set(a.tested)))
    like = 0.3 + 0.7 * shared
    if phase == "base":
        return like
    if a.training.method != b.training.method:
        like *= 0.05
    return like * math.exp(-abs(math.log((1 + a.size) / (1 + b.size))) / 2)

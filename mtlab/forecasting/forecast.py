"""What a run will take, said before it is launched: seconds by phase, and memory."""

from __future__ import annotations

import math
import threading
import time
import weakref
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from mtlab.defaults import budget_of
from mtlab.errors import NotAvailable
from mtlab.forecasting.experience import MEMORY, Experience, experience_of
from mtlab.forecasting.lengths import Lengths
from mtlab.forecasting.machine import machine_of
from mtlab.forecasting.memory import held_of, memory_of
from mtlab.forecasting.physics import seconds_of
from mtlab.forecasting.texts import texts_of
from mtlab.forecasting.words import in_words
from mtlab.forecasting.work import Texts, Work, work_of
from mtlab.methods import NONE, OUTPUTS
from mtlab.models.facts import Shape, inspect, look
from mtlab.models.memory import Held, Spread, settled
from mtlab.models.passes import foretold_tokens
from mtlab.models.room import MAIN_MEMORY, available_memory
from mtlab.presets import Base, resolve_base
from mtlab.runs.status import PHASES, Phase
from mtlab.runs.store import RunStore
from mtlab.settings import Settings
from mtlab.spec import Direction, RunSpec

if TYPE_CHECKING:
    from mtlab.corpora import Draw

_TIME_MARGIN, _MEMORY_MARGIN = 1.05, 1.03
"""A run that ends earlier than was said troubles nobody: the number said is a little high."""

_LIKELY = 1.64  # standard deviations: nine of ten lie between
_ALIKE = 0.5
_LATELY = 60  # seconds for which the way to COMET is not looked at again
_NAMES: dict[Phase, str] = {
    "load": "loading",
    "base": "the untuned base",
    "train": "training",
    "decode": "translating",
    "score": "scoring",
}


@dataclass(frozen=True)
class Forecast:
    """What a run will take on this machine.

    Attributes:
        seconds: by phase.
        low: of all phases; nine of ten runs take longer than this.
        high: and less than this.
        memory: the bytes that the run's process comes to at its fullest, on the CPU; what COMET's
            worker holds beside it is not in it.
        told_from: what it is told from, in words.
        work: what the run has to do.
        held: what stands in memory at once.
    """

    seconds: Mapping[Phase, float]
    low: float
    high: float
    memory: int
    told_from: str
    work: Work
    held: Held

    @property
    def total(self) -> float:
        """Seconds in all."""
        return sum(self.seconds.values())

    @property
    def sentence(self) -> str:
        """`About 35 seconds on this machine (25 to 50 seconds), by run X: loading 5 s, ...`."""
        parts = ", ".join(
            f"{_NAMES[phase]} {_short(self.seconds[phase])}"
            for phase in PHASES
            if phase in _NAMES and self.seconds.get(phase, 0.0) >= 0.5
        )
        low, high = in_words(self.low), in_words(self.high)
        if low.split()[1] == high.split()[1]:
            low = low.split()[0]
        between = f"{low} to {high}" if low != high.split()[0] else high
        return (
            f"About {in_words(self.total)} on this machine ({between}), {self.told_from}: {parts}."
        )

    def to_json(self) -> dict[str, Any]:
        """What is kept of it in a run's provenance."""
        return {
            "seconds": {name: round(value, 2) for name, value in self.seconds.items()},
            "total": round(self.total, 1),
            "low": round(self.low, 1),
            "high": round(self.high, 1),
            "memory_mb": round(self.memory / 1e6, 1),
            "told_from": self.told_from,
        }


class Forecaster:
    """Forecasts for one home; what its runs teach is read again when they have changed.

    Args:
        store: the home's runs; whoever asks for a forecast holds it.
    """

    def __init__(self, store: RunStore) -> None:
        self._held = weakref.ref(store)  # or a store would never be let go of (`forecaster_of`)
        self._lock = threading.Lock()
        self._learnt: tuple[str, Experience] | None = None

    def forecast(
        self, spec: RunSpec, drawn: Draw | None = None, *, kept: Container[Direction] = ()
    ) -> Forecast | None:
        """What a run will take; None where its base is not known well enough to tell.

        Args:
            spec: complete.
            drawn: its training pairs, where they are at hand.
            kept: directions that the untuned base will have translated by then, beside those of
                which finished runs have kept it.

        Raises:
            InputError: its base is on this machine, and cannot be used.
        """
        try:
            work = self._work(spec, drawn, kept)
        except NotAvailable:
            return None
        if work is None:
            return None
        experience = self._experience()
        base, own = experience.answers(spec, "base"), experience.answers(spec, "decode")
        told = seconds_of(work, base, own, experience.machine)
        seconds: dict[Phase, float] = {}
        spread, nearest = 0.0, []
        for phase, value in told.items():
            if value <= 0:
                continue
            found = experience.correction(spec, work, phase, value)
            seconds[phase] = _TIME_MARGIN * value * found.factor
            spread += found.spread * seconds[phase]
            nearest.append((seconds[phase] * found.weight, found.nearest))
        total = sum(seconds.values())
        spread /= max(1e-9, total)
        memory = memory_of(work, spec.training, base, own)
        memory *= _MEMORY_MARGIN * experience.correction(spec, work, MEMORY, memory).factor
        return Forecast(
            seconds,
            low=total / _TIME_MARGIN * math.exp(-_LIKELY * spread),
            high=total * math.exp(_LIKELY * spread),
            memory=int(memory),
            told_from=_told_from(max(nearest, default=(0.0, None)), total, experience),
            work=work,
            held=held_of(work, base, own),
        )

    @property
    def _store(self) -> RunStore:
        store = self._held()
        assert store is not None
        return store

    def _experience(self) -> Experience:
        mark, machine = self._store.mark(), machine_of(self._store.settings)
        with self._lock:
            learnt = self._learnt
            if learnt is None or learnt[0] != mark or learnt[1].machine != machine:
                learnt = (mark, experience_of(self._store, machine))
                self._learnt = learnt
            return learnt[1]

    def _work(self, spec: RunSpec, drawn: Draw | None, also: Container[Direction]) -> Work | None:
        from mtlab.corpora import draw_for

        if spec.base.startswith(OUTPUTS) or "{" in spec.base:
            return None
        settings = self._store.settings
        base = resolve_base(spec.base, settings)
        shape, context = self._shape(spec, base)
        if shape is None:
            return None
        drawn = draw_for(spec, settings) if drawn is None else drawn
        texts = texts_of(spec, drawn, Lengths(base, settings), settings)
        kept = self._experience().kept(spec)
        places = [place for place, one in enumerate(spec.tested) if one in kept or one in also]
        work = _work_here(spec, shape, texts, context, places)
        if work.comet and not _has_comet(settings, spec.comet_model, int(time.time() / _LATELY)):
            return replace(work, comet=0)  # it will be said to be missing, at once
        return work

    def _shape(self, spec: RunSpec, base: Base) -> tuple[Shape | None, int | None]:
        """A base's shape and context; of one that is not on this machine, guessed from its size."""
        described = look if spec.training.method == NONE else inspect
        try:
            facts = described(
                base, replace(self._store.settings, offline=True), spec.revision or base.revision
            )
        except NotAvailable:
            guess = None if base.parameters is None else Shape.guessed(base.parameters)
            return guess, None
        return facts.shape, facts.context


def forecaster_of(store: RunStore) -> Forecaster:
    """The one of a store."""
    with _MAKING:
        return _OF.setdefault(store, Forecaster(store))


_OF: weakref.WeakKeyDictionary[RunStore, Forecaster] = weakref.WeakKeyDictionary()
_MAKING = threading.Lock()


def _work_here(
    spec: RunSpec, shape: Shape, texts: Texts, context: int | None, kept: Sequence[int]
) -> Work:
    """A run's work, what the spec leaves to the machine's memory decided."""
    available, where = available_memory()
    training, spread = spec.training, Spread(spec.devices, spec.strategy)
    most = None
    if training.trains:
        training = settled(training, shape, available, where, spread=spread)
        most = foretold_tokens(shape, training, available, where, spec.devices)
    spec = spec.with_changes(
        training=training.model_dump(mode="json"),
        decoding__token_budget=budget_of(spec.decoding, where != MAIN_MEMORY),
    )
    return work_of(spec, shape, texts, context=context, kept=kept, pass_tokens=most)


@lru_cache(maxsize=8)
def _has_comet(settings: Settings, model: str, moment: int) -> bool:
    from mtlab.scoring.comet_status import comet_status

    return comet_status(replace(settings, offline=True), model) is None


def _told_from(best: tuple[float, str | None], total: float, experience: Experience) -> str:
    weight, run = best
    if run is not None and weight >= _ALIKE * 0.3 * total:
        others = len(experience.lessons) - 1
        more = f" and {others} other finished runs" if others > 1 else ""
        more = " and another finished run" if others == 1 else more
        return f"by run {run}{more}"
    if experience.machine.is_measured:
        return "by what this machine was measured to compute, no run like it having finished here"
    return "a rough guess, no run like it having finished here"


def _short(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else in_words(seconds)

"""Runs grouped into conditions: all that was chosen is the same, the seed apart.

A run that went on from a run is the next cycle of a chain. Its condition is what every cycle of the
chain did, and its seed is that of the chain's first run, so that chains are matched as runs are.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from mtlab.methods import amount, learns_from, trains
from mtlab.results.evidence import Evidence
from mtlab.results.lessons import METHOD, METHODS, Lesson, Lessons, setting
from mtlab.settings import Settings
from mtlab.spec import Direction, Noise, RunSpec

CYCLE = "cycle"


@dataclass(frozen=True)
class Condition:
    """What a set of runs has in common.

    Attributes:
        base: the base model's name; of a chain, the one it began with.
        lessons: what each cycle did, the last one being the runs' own.
        runs: by seed, one per seed.
        seeds: their seeds; of a chain, those of its first runs.
        apart: by path, in words, what of the rest not all conditions share: `25% reversed`.
    """

    base: str
    lessons: tuple[Lesson, ...]
    runs: tuple[Evidence, ...]
    seeds: tuple[int, ...]
    apart: tuple[tuple[str, str], ...] = ()

    @property
    def lesson(self) -> Lesson:
        """What the runs themselves did."""
        return self.lessons[-1]

    @property
    def size(self) -> int:
        """Training pairs, or examples shown."""
        return self.lesson.size

    @property
    def train(self) -> tuple[Direction, ...]:
        """Training directions, in the order of their names."""
        return self.lesson.train

    @property
    def noise(self) -> Noise | None:
        """None when clean."""
        return self.lesson.noise

    @property
    def cycle(self) -> int:
        """How many times the model was trained, 1 for most."""
        return len(self.lessons)

    @property
    def repeats(self) -> bool:
        """Whether every cycle did the same."""
        return len(set(self.lessons)) == 1

    @property
    def knobs(self) -> dict[str, Any]:
        """What two conditions may differ in."""
        return {
            "base": self.base,
            CYCLE: self.cycle,
            "before": () if self.repeats else self.lessons[:-1],
            "size": self.size,
            "train": self.train,
            "noise": self.noise,
            "reverse": self.lesson.reverse,
            "method": self.lesson.method,
            "rest": self.lesson.rest,
        }

    @property
    def tested(self) -> tuple[Direction, ...]:
        """The directions that all of its runs tested."""
        others = [set(run.spec.tested) for run in self.runs]
        return tuple(one for one in self.runs[0].spec.tested if all(one in o for o in others))

    @property
    def method(self) -> str | None:
        """How it was trained, if at all."""
        return self.runs[0].spec.training.method

    @property
    def is_trained(self) -> bool:
        """Whether the model was changed at all."""
        return trains(self.method)

    @property
    def amount(self) -> str:
        """How much it learns from, in words: `32 pairs`, `3 examples shown`, `not trained`."""
        return amount(self.method, self.size)

    @property
    def into_english(self) -> bool:
        """Whether English is the only target language of its training directions."""
        return bool(self.train) and all(direction.target == "en" for direction in self.train)

    @property
    def english_only(self) -> bool:
        """Whether English is the only language it was taught to write; no pair is turned round."""
        return self.into_english and not self.lesson.reverse

    @property
    def trained_on(self) -> str:
        """Its training directions in words: "en-de alone", "6 directions, 25% reversed"."""
        return self.trained_on_but()

    def trained_on_but(self, *paths: str) -> str:
        """`trained_on` without what stands at some paths: that which is compared."""
        if not self.train:
            return learns_from(self.method, ())
        if len(self.train) == 1:
            directions = f"{self.train[0]} alone"
        elif len(self.train) == 2:
            directions = " and ".join(map(str, self.train))
        else:
            directions = f"{len(self.train)} directions"
        return ", ".join([directions, *(words for path, words in self.apart if path not in paths)])

    def chosen(self, path: str) -> Any:
        """The value of a field by its path, whether it was chosen or left open."""
        value: Any = self.runs[0].spec.to_json()
        for name in path.split("."):
            value = value[name]
        return value

    def differs_in(self, other: Condition) -> tuple[str, ...]:
        """The knobs in which two conditions differ."""
        mine, theirs = self.knobs, other.knobs
        return tuple(name for name, value in mine.items() if value != theirs[name])


def conditions(runs: Iterable[Evidence], settings: Settings) -> list[Condition]:
    """Group runs; of several with all the same, seed included, the last one given counts.

    Args:
        runs: in any order.
        settings: the lab's; where base models lie.

    Returns:
        In the order in which their first run was given.
    """
    reader = Lessons(settings)
    groups: dict[tuple[str, tuple[Lesson, ...]], dict[int, Evidence]] = {}
    for run in runs:
        base, lessons, seed = reader.chain(run.spec, run.folder.parent)
        groups.setdefault((base, lessons), {})[seed] = run
    apart = _apart([lessons for _, lessons in groups])
    return [
        Condition(
            base, lessons, tuple(by_seed[seed] for seed in sorted(by_seed)),
            tuple(sorted(by_seed)), apart[lessons],
        )
        for (base, lessons), by_seed in groups.items()
    ]  # fmt: skip


def near(
    run: Evidence, runs: Sequence[Evidence], knob: str | None, settings: Settings
) -> tuple[Condition, list[Condition]]:
    """A run's condition; and with it all conditions that differ from it in one knob alone.

    Args:
        run: the run.
        runs: to choose from, the newest first; of several with all the same, seed included, the
            newest counts, but for the run itself, which always does.
        knob: one of `Condition.knobs`; None for those that differ in nothing.
        settings: the lab's; where base models lie.
    """
    own_knobs = _cheap_knobs(run.spec)
    alike = []
    for one in runs:
        knobs = _cheap_knobs(one.spec)
        if all(knobs[name] == value for name, value in own_knobs.items() if name != knob):
            alike.append(one)
    grouped = conditions([*reversed(alike), run], settings)
    (own,) = (one for one in grouped if run in one.runs)
    return own, [one for one in grouped if one.differs_in(own) in ((), (knob,))]


def _cheap_knobs(spec: RunSpec) -> dict[str, object]:
    """Of runs of one condition these are the same; it saves asking `conditions` of every run."""
    return {
        "base": spec.base,
        "size": spec.size,
        "train": frozenset(spec.train),
        "noise": spec.noise if spec.noise.active else None,
        "trains": spec.training.trains,
    }


def _apart(
    chains: Iterable[tuple[Lesson, ...]],
) -> dict[tuple[Lesson, ...], tuple[tuple[str, str], ...]]:
    """Of each chain, in words, what not all share; nothing of what was left open or is zero."""
    chains = tuple(dict.fromkeys(chains))
    names = dict.fromkeys(name for chain in chains for name in chain[-1].leaves)
    varied = [
        name
        for name in names
        if len({json.dumps(chain[-1].leaves.get(name)) for chain in chains}) > 1
    ]
    return {
        chain: (
            *(
                (name, METHODS[value] if name == METHOD else setting(name, value))
                for name in varied
                if (value := chain[-1].leaves.get(name))
            ),
            *([(CYCLE, _cycle(chain))] if len(chain) > 1 else []),
        )
        for chain in chains
    }


def _cycle(chain: tuple[Lesson, ...]) -> str:
    """Which cycle it is, and after what, where that was something else."""
    text = f"cycle {len(chain)}"
    if len(set(chain)) == 1:
        return text
    return f"{text} after {'; '.join(map(_in_short, chain[:-1]))}"


def _in_short(lesson: Lesson) -> str:
    noise = f", {lesson.noise.side}-side {lesson.noise.kind} noise" if lesson.noise else ""
    return f"{lesson.size:,} pairs of {' '.join(map(str, lesson.train))}{noise}"

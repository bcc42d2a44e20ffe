"""Runs grouped into conditions: all that was chosen is the same, the seed apart.

A value that was left open is filled in by size and base before a run starts (`mtlab.defaults`);
two runs that both left it open agree in it, whatever numbers they then had.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from mtlab.defaults import complete
from mtlab.errors import MtlabError
from mtlab.methods import amount, learns_from
from mtlab.presets import resolve_base
from mtlab.results.evidence import Evidence
from mtlab.settings import Settings
from mtlab.spec import Direction, Noise, RunSpec

NOT_CHOSEN = (
    "seed", "name", "group", "test", "metrics", "comet_model", "probe_size", "score_base"
)  # fmt: skip
"""Fields that make no other model; directions are compared one by one."""


@dataclass(frozen=True)
class Condition:
    """What a set of runs has in common.

    Attributes:
        base: the base model's name.
        size: training pairs.
        train: training directions, in the order of their names.
        noise: None when clean.
        rest: everything else that was chosen, as JSON.
        runs: by seed, one per seed.
        apart: in words, what of the rest not all conditions share: "25% reversed".
    """

    base: str
    size: int
    train: tuple[Direction, ...]
    noise: Noise | None
    rest: str
    runs: tuple[Evidence, ...]
    apart: str = ""

    @property
    def knobs(self) -> dict[str, Any]:
        """What two conditions may differ in."""
        return {
            "base": self.base,
            "size": self.size,
            "train": self.train,
            "noise": self.noise,
            "rest": self.rest,
        }

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds of its runs."""
        return tuple(run.spec.seed for run in self.runs)

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
    def amount(self) -> str:
        """How much it learns from, in words: `32 pairs`, `3 examples shown`, `not trained`."""
        return amount(self.method, self.size)

    @property
    def english_only(self) -> bool:
        """Whether English is its only target language."""
        return bool(self.train) and all(direction.target == "en" for direction in self.train)

    @property
    def trained_on(self) -> str:
        """Its training directions in words: "en-de alone", "6 directions, 25% reversed"."""
        if not self.train:
            return learns_from(self.method, ())
        if len(self.train) == 1:
            directions = f"{self.train[0]} alone"
        elif len(self.train) == 2:
            directions = " and ".join(map(str, self.train))
        else:
            directions = f"{len(self.train)} directions"
        return f"{directions}, {self.apart}" if self.apart else directions

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
    groups: dict[tuple[Any, ...], dict[int, Evidence]] = {}
    for run in runs:
        spec = run.spec
        noise = spec.noise if spec.noise.active else None
        train = tuple(sorted(spec.train, key=str))
        key = (spec.base, spec.size, train, noise, _rest(spec, settings))
        groups.setdefault(key, {})[spec.seed] = run
    apart = _apart({rest for *_, rest in groups})
    return [
        Condition(
            base, size, train, noise, rest,
            tuple(by_seed[seed] for seed in sorted(by_seed)), apart[rest],
        )
        for (base, size, train, noise, rest), by_seed in groups.items()
    ]  # fmt: skip


def _apart(rests: Iterable[str]) -> dict[str, str]:
    """Of each rest, in words, what not all share; nothing of what was left open or is zero."""
    flat = {rest: dict(_leaves(json.loads(rest))) for rest in rests}
    names = dict.fromkeys(name for leaves in flat.values() for name in leaves)
    varied = [
        name
        for name in names
        if len({json.dumps(leaves.get(name)) for leaves in flat.values()}) > 1
    ]
    return {
        rest: ", ".join(_said(name, leaves[name]) for name in varied if leaves.get(name))
        for rest, leaves in flat.items()
    }


def _leaves(data: dict[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in data.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value


def _said(name: str, value: Any) -> str:
    if name == "reverse":
        return f"{value:.0%} reversed"
    return f"{name.rpartition('.')[2].replace('_', ' ')} {value}"


def _rest(spec: RunSpec, settings: Settings) -> str:
    data = spec.to_json()
    for name in (*NOT_CHOSEN, "base", "size", "train", "noise"):
        data.pop(name, None)
    usual = _usual(spec, settings)
    for part in ("training", "decoding"):
        data[part] = {k: v for k, v in data[part].items() if v != usual[part].get(k, "no default")}
    if spec.training.method != usual["method"]:
        data["training"]["method"] = spec.training.method
    data["decoding"].pop("token_budget", None)
    data["test_corpus"] = data.get("test_corpus") or data["corpus"]
    return json.dumps(data, sort_keys=True)


def _usual(spec: RunSpec, settings: Settings) -> dict[str, Any]:
    """What training and decoding would be had all that can be left open been left open.

    Returns:
        `{training, decoding, method}`; both parts for the method the spec has, `method` for none.
    """
    if not spec.training.trains:
        return _usual_untrained(spec, settings)
    open_spec = RunSpec(base=spec.base, size=spec.size, train=spec.train)
    same_method = open_spec.with_changes(training__method=spec.training.method)
    try:
        base = resolve_base(spec.base, settings)
        open_spec, same_method = complete(open_spec, base), complete(same_method, base)
    except MtlabError:
        pass  # a base that is gone: its runs still agree with those that have the same values
    data = same_method.to_json()
    return {
        "training": data["training"],
        "decoding": data["decoding"],
        "method": open_spec.training.method,
    }


def _usual_untrained(spec: RunSpec, settings: Settings) -> dict[str, Any]:
    """The same of a run that trains nothing, which no open method would give."""
    method = {"method": spec.training.method}
    usual = RunSpec(base=spec.base, size=spec.size, test=spec.tested, training=method)
    try:
        usual = complete(usual, resolve_base(spec.base, settings))
    except MtlabError:
        pass
    data = usual.to_json()
    return {"training": data["training"], "decoding": data["decoding"], "method": None}

"""What one training did to a model, apart from its seed: what was chosen, and how that is said.

A value that was left open is filled in by size and base before a run starts (`mtlab.defaults`);
two runs that both left it open agree in it, whatever numbers they then had.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from mtlab.defaults import complete, reopened
from mtlab.errors import MtlabError
from mtlab.methods import trains
from mtlab.presets import resolve_base
from mtlab.results.chains import chain_of, spec_of
from mtlab.settings import Settings
from mtlab.spec import Direction, Noise, RunSpec

NOT_CHOSEN = (
    "seed", "name", "group", "test", "metrics", "comet_model", "probe_size", "score_base",
    "devices", "strategy",
)  # fmt: skip
"""Fields that make no other model; directions are compared one by one."""

_OF_THE_MACHINE = {
    "training": ("checkpoint_steps", "gradient_checkpointing"),
    "decoding": ("token_budget",),
}
"""What of a part makes no other model either."""

REVERSE = "reverse"
METHOD = "training.method"


@dataclass(frozen=True)
class Lesson:
    """What a model was given to learn from, and how.

    Attributes:
        size: training pairs, or examples shown.
        train: training directions, in the order of their names.
        noise: None when clean; a run as translator stands in it as what that run learnt.
        reverse: share of the pairs turned round.
        method: as chosen; "" where it is the one that the base gets when it is left open.
        rest: everything else that was chosen, as JSON.
    """

    size: int
    train: tuple[Direction, ...]
    noise: Noise | None
    reverse: float
    method: str
    rest: str

    @cached_property
    def leaves(self) -> Mapping[str, Any]:
        """Everything that was chosen beside size, directions and noise, by its path."""
        own = {REVERSE: self.reverse or None, METHOD: self.method or None}
        flat = {**own, **dict(_leaves(json.loads(self.rest)))}
        return {path: value for path, value in flat.items() if value is not None}


class Lessons:
    """Reads the lessons of a home's runs; what a base leaves open is found out once.

    Args:
        settings: the lab's; where base models lie.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._usual: dict[tuple[object, ...], dict[str, Any]] = {}

    def of(self, spec: RunSpec, base: str, runs: Path) -> Lesson:
        """What a run learnt.

        Args:
            spec: the run's.
            base: the model at the beginning of its chain.
            runs: the folder in which the runs lie.
        """
        usual = self._open(spec, base)
        return Lesson(
            size=spec.size,
            train=tuple(sorted(spec.train, key=str)),
            noise=self._noise(spec, runs),
            reverse=spec.reverse,
            method="" if spec.training.method == usual["method"] else str(spec.training.method),
            rest=_rest(spec, usual),
        )

    def chain(self, spec: RunSpec, runs: Path) -> tuple[str, tuple[Lesson, ...], int]:
        """The model at the beginning of a run's chain, all lessons since, and the first's seed."""
        base, specs = chain_of(spec, runs)
        return base, tuple(self.of(one, base, runs) for one in specs), specs[0].seed

    def _noise(self, spec: RunSpec, runs: Path) -> Noise | None:
        """Its noise; a run as translator is there once per seed, and is named by what it learnt."""
        if not spec.noise.active:
            return None
        translator = spec_of(spec.noise.translator, runs) if spec.noise.translator else None
        if translator is None:
            return spec.noise
        base, lessons, _ = self.chain(translator, runs)
        digest = hashlib.sha256(repr((base, lessons)).encode()).hexdigest()[:8]
        return spec.noise.model_copy(update={"translator": f"a run like {digest}"})

    def _open(self, spec: RunSpec, base: str) -> dict[str, Any]:
        key = (base, spec.size, spec.training.method, spec.train or spec.tested)
        if key not in self._usual:
            self._usual[key] = _usual(spec, base, self._settings)
        return self._usual[key]


def as_chosen(spec: RunSpec, settings: Settings) -> dict[str, Any]:
    """A spec's plain values with open again what was left open when it was launched, so that they
    make a run of another size, with that size's steps. Its method and test directions stay; its
    name and group are left out.

    Args:
        spec: complete.
        settings: the lab's; where base models lie.
    """
    try:
        opened = reopened(spec, resolve_base(spec.base, settings)).to_json()
    except MtlabError:
        opened = spec.to_json()  # its base is gone, which a launch will say
    training = {**opened["training"], "method": spec.training.method}
    tested = [str(direction) for direction in spec.tested]
    return {**opened, "training": training, "test": tested, "name": None, "group": None}


def recipe_of(spec: RunSpec, settings: Settings) -> str:
    """All that was chosen but base, size, training directions, noise and seed, as JSON."""
    usual = _usual(spec, spec.base, settings)
    method = "" if spec.training.method == usual["method"] else spec.training.method
    return json.dumps([spec.reverse, method, _rest(spec, usual)])


def setting(path: str, value: Any) -> str:
    """What was chosen, in words: `25% reversed`, `24 steps`, `learning rate 0.0003`."""
    form = _FORMS.get(path)
    if form is not None and not isinstance(value, str):
        return form.format(value)
    return f"{leaf_name(path)} {bare(value)}"


def leaf_name(path: str) -> str:
    """The last part of a path, in words."""
    return path.rpartition(".")[2].replace("_", " ")


def bare(value: Any) -> str:
    """A value as it stands in a sentence: short, on one line."""
    if value is None:
        return "left open"
    text = f"{value:g}" if isinstance(value, float) else " ".join(str(value).split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


_LONGEST = 40

_FORMS = {
    REVERSE: "{:.0%} reversed",
    "training.steps": "{:,} steps",
    "decoding.beams": "{} beams",
    "training.warmup": "{:.0%} warmup",
}

METHODS = {"lora": "LoRA", "full": "full fine-tuning", "few-shot": "few-shot", "none": "as it is"}
"""What is done with a base, as people write it."""


def _leaves(data: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in data.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value


def _rest(spec: RunSpec, usual: Mapping[str, Any]) -> str:
    data = spec.to_json()
    for name in (*NOT_CHOSEN, "base", "size", "train", "noise", REVERSE):
        data.pop(name, None)
    for part, machine in _OF_THE_MACHINE.items():
        data[part] = {
            name: value
            for name, value in data[part].items()
            if name not in machine and value != usual[part].get(name, "no default")
        }
    data["training"].pop("method", None)
    data["test_corpus"] = data.get("test_corpus") or data["corpus"]
    return json.dumps(data, sort_keys=True)


def _usual(spec: RunSpec, base: str, settings: Settings) -> dict[str, Any]:
    """What training and decoding would be had all that can be left open been left open.

    Returns:
        `{training, decoding, method}`; both parts for the method the spec has, `method` for none.
    """
    method = spec.training.method
    if trains(method):
        open_spec = RunSpec(base=base, size=spec.size, train=spec.train)
        same_method = open_spec.with_changes(training__method=method)
    else:
        open_spec = same_method = RunSpec(
            base=base, size=spec.size, test=spec.tested, training={"method": method}
        )
    try:
        model = resolve_base(base, settings)
        open_spec, same_method = complete(open_spec, model), complete(same_method, model)
    except MtlabError:
        pass  # a base that is gone: its runs still agree with those that have the same values
    data = same_method.to_json()
    return {
        "training": data["training"],
        "decoding": data["decoding"],
        "method": open_spec.training.method if trains(method) else None,
    }

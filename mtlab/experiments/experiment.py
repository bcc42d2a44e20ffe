"""An experiment as a value: what all runs share, what varies, and the runs that follow from it.

As a file:

    name: mine/reverse
    spec: {base: nano, train: [de-en], size: 256}     # shared by every run
    axes: {reverse: [0, 0.05], size: [64, all]}       # every combination
    variations:                                       # each of them at every combination
      - {label: clean}
      - {label: noisy, noise.kind: word, noise.side: target}
    seeds: 3                                          # 0, 1, 2; or a list

The size `all` is as many pairs as the corpus has for the training directions. A variation outdoes
an axis, and what that makes equal is run once. `@clean`, as a base (`run:@clean`: to go on from it)
or as a translator, is the run of the variation labelled so, at the same place of the grid and with
the same seed. A `seed` in a variation is added to the sweep's.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mtlab.commands import FLAGS
from mtlab.errors import InputError
from mtlab.settings import Settings
from mtlab.spec import RunSpec, put
from mtlab.yaml_files import read_yaml_mapping

MOST_RUNS = 5_000
ALL = "all"
FIELDS = frozenset(path for _, path in FLAGS)
"""What may vary: every field of a spec, by its path."""

_NOT_AXES = ("name", "group", "seed")
_KEYS = ("name", "title", "shows", "spec", "axes", "variations", "seeds")
_REFERENCE = re.compile(r"(run:)?@(.+)")
_REFERRING = ("base", "noise.translator")


@dataclass(frozen=True)
class Step:
    """One run of an experiment.

    Attributes:
        spec: what is run; where it refers to another run of the experiment, `@label` as written.
        needs: the places in the experiment's steps of the runs referred to, by the field's path.
    """

    spec: RunSpec
    needs: Mapping[str, int] = field(default_factory=dict)

    def resolved(self, ids: Mapping[int, str]) -> RunSpec:
        """The spec with every reference replaced by a run's id.

        Args:
            ids: the ids of the runs it needs, by their place.
        """
        changes = {}
        for path, place in self.needs.items():
            prefix = "run:" if path == "base" else ""
            changes[path.replace(".", "__")] = prefix + ids[place]
        return self.spec.with_changes(**changes) if changes else self.spec


@dataclass(frozen=True)
class Experiment:
    """A grid of runs.

    Attributes:
        name: what its runs carry as their group, such as `paper/size`.
        spec: fields that every run shares, by path (`noise.kind`).
        axes: values by field; every combination of them is run.
        variations: sets of fields that vary together, each run at every combination.
        seeds: every run is made once with each.
        title: a few words for people.
        shows: what the experiment is made to show.

    Raises:
        InputError: a field there is not, an empty axis, no seed, or more than 5,000 runs.
    """

    name: str
    spec: Mapping[str, Any]
    axes: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    variations: Sequence[Mapping[str, Any]] = ({},)
    seeds: tuple[int, ...] = (0,)
    title: str = ""
    shows: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name.strip():
            raise InputError("the sweep has no name", field="name", fix="give it one")
        _check_fields(self.spec, "spec", ("group",))
        _check_fields(self.axes, "axes", _NOT_AXES)
        for path, values in self.axes.items():
            if isinstance(values, str) or not isinstance(values, Sequence) or not values:
                raise InputError(
                    "the axis has no values", field=f"axes.{path}", fix="give a list of values"
                )
        if isinstance(self.variations, str | Mapping) or not self.variations:
            raise InputError(
                "there are no variations", field="variations", fix="give a list, or leave it out"
            )
        for variation in self.variations:
            _check_fields(variation, "variations", ("name", "group"), ("label",))
        if not self.seeds or len(set(self.seeds)) != len(self.seeds):
            raise InputError(
                "the seeds are none or name one twice",
                field="seeds",
                fix="give a number of seeds, or a list of different ones",
            )
        count = len(self.seeds) * len(self.variations)
        for values in self.axes.values():
            count *= len(values)
        if count > MOST_RUNS:
            raise InputError(
                f"the grid has {count:,} runs", field="axes", fix=f"make it {MOST_RUNS:,} at most"
            )

    def steps(self, settings: Settings | None = None) -> tuple[Step, ...]:
        """The runs, in order: all of the first seed, then the next; a run after those it needs.

        Args:
            settings: for the corpus whose pairs `all` counts; the environment's when not given.

        Raises:
            InputError: a run that is no valid spec, or a reference to a run that is not before it.
            NotAvailable: `all` is asked of a corpus that cannot be reached.
        """
        steps: list[Step] = []
        known: dict[str, int] = {}
        count = _Counted(settings)
        for seed in self.seeds:
            for point in self._points():
                labels: dict[str, int] = {}
                for variation in self.variations:
                    step = self._step(point, variation, seed, labels, count)
                    bare = step.spec.with_changes(name=None)
                    place = known.setdefault(f"{bare.to_json()} {dict(step.needs)}", len(steps))
                    if place == len(steps):
                        steps.append(step)
                    if "label" in variation:
                        labels[str(variation["label"])] = place
        return tuple(steps)

    def specs(self, settings: Settings | None = None) -> tuple[RunSpec, ...]:
        """The specs of `steps`, references as written."""
        return tuple(step.spec for step in self.steps(settings))

    def with_fields(self, fields: Mapping[str, Any]) -> Experiment:
        """The same experiment with some fields fixed to other values.

        Raises:
            InputError: one of them is what the experiment varies.
        """
        varied = {*self.axes, *itertools.chain.from_iterable(self.variations)}
        for path in fields:
            if path in varied:
                raise InputError(
                    f"the sweep '{self.name}' varies it", field=path, fix="leave it out here"
                )
        return replace(self, spec={**flat(self.spec), **fields})

    def to_json(self) -> dict[str, Any]:
        """The experiment as plain JSON values, without what is at its default."""
        data: dict[str, Any] = {"name": self.name}
        data |= {key: text for key in ("title", "shows") if (text := getattr(self, key))}
        data["spec"] = dict(self.spec)
        if self.axes:
            data["axes"] = {path: list(values) for path, values in self.axes.items()}
        if list(self.variations) != [{}]:
            data["variations"] = [dict(one) for one in self.variations]
        return {**data, "seeds": list(self.seeds)}

    def to_yaml(self) -> str:
        """The experiment as a sweep file."""
        import yaml

        return yaml.safe_dump(self.to_json(), sort_keys=False, allow_unicode=True)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Experiment:
        """Read plain values.

        Raises:
            InputError: the first thing that is wrong, and how to mend it.
        """
        for key in data:
            if key not in _KEYS:
                raise InputError(
                    "there is no such part of a sweep",
                    field=str(key),
                    fix=f"use {', '.join(_KEYS)}; what runs share stands below 'spec'",
                )
        given = {**data, "seeds": to_seeds(data.get("seeds", 1)), "spec": data.get("spec") or {}}
        if given.get("axes", ...) is None:
            del given["axes"]
        return cls(**{"name": "sweep", **given})

    @classmethod
    def from_yaml(cls, path: str | Path) -> Experiment:
        """Read a sweep file; without a name of its own it is called as the file is.

        Raises:
            InputError: no such file, not YAML, or no experiment.
        """
        return cls.from_json({"name": Path(path).stem, **read_yaml_mapping(path)})

    def _points(self) -> Iterator[dict[str, Any]]:
        for values in itertools.product(*self.axes.values()):
            yield dict(zip(self.axes, values, strict=True))

    def _step(
        self,
        point: Mapping[str, Any],
        variation: Mapping[str, Any],
        seed: int,
        labels: Mapping[str, int],
        count: _Counted,
    ) -> Step:
        fields = {**flat(self.spec), **point, **variation}
        label = fields.pop("label", None)
        added = fields.pop("seed", 0)
        data: dict[str, Any] = {"group": self.name, "name": label}
        for path, value in fields.items():
            put(data, path, value)
        data["seed"] = seed + added if isinstance(added, int) else added
        if data.get("size") == ALL:
            data["size"] = count(data)
        needs = {
            path: _place(fields[path], path, labels)
            for path in _REFERRING
            if isinstance(fields.get(path), str) and _REFERENCE.fullmatch(fields[path])
        }
        return Step(RunSpec.from_json(data), needs)


def to_seeds(value: Any) -> tuple[int, ...]:
    """`3` as seeds 0, 1, 2; a list as it is.

    Raises:
        InputError: neither a whole number from 1 on nor a list of whole numbers.
    """
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MOST_RUNS:
        return tuple(range(value))
    if isinstance(value, list | tuple) and all(
        isinstance(one, int) and not isinstance(one, bool) and one >= 0 for one in value
    ):
        return tuple(value)
    raise InputError(
        f"'{value}' are no seeds", field="seeds", fix="give how many, such as 3, or a list"
    )


class _Counted:
    """How many pairs a corpus has for the training directions of a spec; each counted once."""

    def __init__(self, settings: Settings | None) -> None:
        self._settings = settings
        self._known: dict[str, int] = {}

    def __call__(self, data: Mapping[str, Any]) -> int:
        from mtlab.corpora import corpora_for

        spec = RunSpec.from_json({**data, "size": 1, "name": None})
        key = f"{spec.corpus} {spec.test_corpus} {spec.train}"
        if key not in self._known:
            corpus = corpora_for(spec, self._settings or Settings.from_environment()).train
            self._known[key] = sum(len(corpus.pool(direction)) for direction in spec.train)
        return self._known[key]


def _place(value: str, path: str, labels: Mapping[str, int]) -> int:
    match = _REFERENCE.fullmatch(value)
    label = match.group(2) if match else value
    if label not in labels:
        raise InputError(
            f"'{value}' names no variation above it",
            field=path,
            fix=f"put a variation with 'label: {label}' before this one",
        )
    return labels[label]


def flat(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Fields by path, whether written `noise.kind: word` or `noise: {kind: word}`."""
    flat: dict[str, Any] = {}
    for path, value in fields.items():
        if isinstance(value, Mapping):
            flat |= {f"{path}.{name}": one for name, one in value.items()}
        else:
            flat[path] = value
    return flat


def _check_fields(
    fields: Any, part: str, without: Iterable[str], besides: Iterable[str] = ()
) -> None:
    if not isinstance(fields, Mapping):
        raise InputError(
            f"'{fields}' is not made of fields", field=part, fix="write a field and its value"
        )
    for path in flat(fields) if part != "axes" else fields:
        if (path not in FIELDS or path in without) and path not in besides:
            raise InputError(
                "this field cannot be set here" if path in without else "there is no such field",
                field=f"{part}.{path}",
                fix="use a field of a spec, such as size, train or noise.kind",
            )

"""A grid around one run: some of its fields vary, the others stay as they are."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from typing import Any

from mtlab.errors import InputError
from mtlab.experiments.experiment import Experiment, flat
from mtlab.spec import RunSpec

KNOBS = (
    "size", "noise.kind", "noise.side", "noise.ratio", "train", "training.method", "base",
    "reverse",
)  # fmt: skip
"""The fields that `grid_of` varies, beside the seed."""

_NOISE = ("noise.kind", "noise.side", "noise.ratio")


def grid_of(
    spec: RunSpec,
    varied: Mapping[str, Sequence[Any]],
    seeds: tuple[int, ...],
    *,
    name: str = "",
    options: Mapping[str, Mapping[str, Any]] | None = None,
) -> Experiment:
    """The runs that differ from `spec` in the fields that vary.

    Noise and training directions become variations with a label: a clean run is made once, however
    many sides and ratios of noise there are, and where directions vary every run is tested on all
    of them, so that they can be compared.

    Args:
        spec: the run, not completed, so that steps and rates follow the size.
        varied: values by field, of `KNOBS`; of `train`, sets of directions.
        seeds: every run is made once with each.
        name: the group of its runs; the spec's own, or made from what varies, when not given.
        options: fields that a kind of noise needs, by the kind, where kinds vary.

    Raises:
        InputError: a knob there is not, no values for one, or a side or ratio of no noise.
    """
    for path, values in varied.items():
        if path not in KNOBS:
            raise InputError("this cannot vary", field=path, fix=f"use {', '.join(KNOBS)}")
        if not values:
            raise InputError("no values are chosen", field=path, fix="choose some, or leave it out")
    shared = flat(json.loads(spec.model_dump_json(exclude_defaults=True)))
    shared = {"base": spec.base, **shared}
    for path in (*varied, "group", "seed"):  # the sweep's own
        shared.pop(path, None)
    sets = varied.get("train", ())
    if sets and spec.test is None:
        shared["test"] = list(dict.fromkeys(str(one) for each in sets for one in each))
    noises = _noises(spec, varied, options or {})
    if noises:
        for path in _NOISE:
            shared.pop(path, None)
    variations = [
        _joined(train, noise)
        for train, noise in itertools.product(_trainings(sets) or [{}], noises or [{}])
    ]
    if variations != [{}]:
        shared.pop("name", None)  # they are told apart by their labels
    axes = {
        path: list(values)
        for path, values in varied.items()
        if path != "train" and path not in _NOISE
    }
    return Experiment(name or spec.group or _name(spec, varied), shared, axes, variations, seeds)


def _trainings(sets: Sequence[Sequence[Any]]) -> list[dict[str, Any]]:
    """A variation for each set of training directions."""
    most = max((len(each) for each in sets), default=0)
    variations = []
    for each in sets:
        words = " ".join(map(str, each))
        several = "all directions" if len(each) == most else words
        label = f"{words} only" if len(each) == 1 else several
        variations.append({"label": label, "train": [str(one) for one in each]})
    return variations


def _noises(
    spec: RunSpec, varied: Mapping[str, Sequence[Any]], options: Mapping[str, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """A variation for each noise; none where noise does not vary."""
    asked = [path for path in _NOISE if path in varied]
    if not asked:
        return []
    kinds = varied.get("noise.kind", (spec.noise.kind,))
    if set(kinds) == {"none"}:
        raise InputError("there is no noise to vary", field=asked[0], fix="choose a kind of noise")
    sides = varied.get("noise.side", (spec.noise.side,))
    ratios = varied.get("noise.ratio", (spec.noise.ratio,))
    variations: list[dict[str, Any]] = []
    for kind, side, ratio in itertools.product(kinds, sides, ratios):
        if kind == "none":
            variation = {"label": "clean", "noise.kind": kind}
        else:
            where = "both sides" if side == "both" else f"the {side}"
            share = "" if ratio == 1 else f" in {ratio:.0%} of pairs"
            variation = {
                "label": f"{kind} noise on {where}{share}",
                "noise.kind": kind,
                "noise.side": side,
                "noise.ratio": ratio,
                **options.get(kind, {}),
            }
        if variation not in variations:
            variations.append(variation)
    return variations


def _joined(*variations: Mapping[str, Any]) -> dict[str, Any]:
    labels = [variation["label"] for variation in variations if variation]
    fields = {path: value for one in variations for path, value in one.items() if path != "label"}
    return {"label": ", ".join(labels), **fields} if labels else fields


def _name(spec: RunSpec, varied: Mapping[str, Sequence[Any]]) -> str:
    base = spec.base.rstrip("/").rpartition("/")[2]
    knobs = [path.replace(".", "-") for path in KNOBS if path in varied]
    return f"{base}/{'-'.join(knobs) or 'seeds'}"

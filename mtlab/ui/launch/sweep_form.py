"""What is chosen of a sweep, and the experiment it makes of the form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mtlab.errors import InputError
from mtlab.experiments import Experiment, grid_of
from mtlab.experiments.typed import seeds_from_text, shares_from_text, sizes_from_text
from mtlab.spec import RunSpec
from mtlab.ui.form import NOISE_FIELDS, PATHS

EACH, TOGETHER = "each", "together"

KNOBS: dict[str, str] = {
    "size": "Size",
    "seed": "Seeds",
    "noise_kind": "Noise kind",
    "noise_side": "Noise side",
    "noise_ratio": "Noise ratio",
    "train": "Directions, one by one",
    "method": "Method",
    "base": "Base",
    "reverse": "Reversed pairs",
}
"""The fields of the form that may become axes, and what they are called."""

FIRST: dict[str, Any] = {
    "size": "16, 32, 64, 128, 256, all",
    "seed": "3 seeds",
    "noise_kind": ["none", "word"],
    "noise_side": ["source", "target"],
    "noise_ratio": "0.25, 0.5, 1",
    "train": [TOGETHER, EACH],
    "method": ["lora", "full"],
    "base": ["nano"],
    "reverse": "0, 0.01, 0.05, 0.1",
}
"""The values that a knob begins with."""

_READ: dict[str, Callable[[str], tuple[Any, ...]]] = {
    "size": sizes_from_text,
    "noise_ratio": lambda text: shares_from_text(text, "noise.ratio"),
    "reverse": lambda text: shares_from_text(text, "reverse"),
}


def experiment_of(
    spec: RunSpec,
    seeds: tuple[int, ...],
    values: Mapping[str, Any],
    knobs: list[str],
    chosen: Mapping[str, Any],
    name: str,
) -> Experiment:
    """The sweep around the form's run.

    Args:
        spec: the run that the form makes.
        seeds: the form's; used unless the seeds are among the knobs.
        values: the form's.
        knobs: which vary, of `KNOBS`.
        chosen: what is chosen for each of `KNOBS`.
        name: the sweep's; made up where empty.

    Raises:
        InputError: no knob, or one without values that can be used; names its field.
    """
    unknown = [knob for knob in knobs if knob not in KNOBS]
    if unknown or not knobs:
        raise InputError("nothing varies", field="sweep", fix="choose at least one of them")
    varied = {PATHS[knob]: _values(knob, chosen[knob], spec) for knob in knobs if knob != "seed"}
    if "seed" in knobs:
        seeds = seeds_from_text(chosen["seed"])
    return grid_of(spec, varied, seeds, name=name.strip(), options=_options(values))


def _values(knob: str, chosen: Any, spec: RunSpec) -> tuple[Any, ...]:
    if knob in _READ:
        return _READ[knob](chosen)
    if knob != "train":
        return tuple(chosen or ())
    together = [spec.train] if TOGETHER in chosen and len(spec.train) > 1 else []
    each = [(one,) for one in spec.train] if EACH in chosen else []
    return tuple(tuple(map(str, one)) for one in (*together, *each))


def _options(values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What the form says of the kinds of noise, also of those that it does not show now."""
    return {
        kind: {PATHS[name]: values[name] for name in names if values[name]}
        for kind, names in NOISE_FIELDS.items()
    }

"""Chains: a run that went on from a run, back to the model that the first of them began with."""

from __future__ import annotations

from pathlib import Path

from mtlab.errors import InputError
from mtlab.presets import RUN
from mtlab.runs.files import read_json
from mtlab.spec import RunSpec


def chain_of(spec: RunSpec, runs: Path) -> tuple[str, tuple[RunSpec, ...]]:
    """The model at the beginning of a run's chain, and the specs from there to its own.

    A chain whose earlier run was deleted begins with what is left: its base is that `run:ID`.

    Args:
        spec: the run's own, the last of the chain.
        runs: the folder in which the runs lie.
    """
    specs, seen = [spec], set()
    while (base := specs[0].base).startswith(RUN) and base not in seen:
        seen.add(base)
        before = spec_of(base.removeprefix(RUN), runs)
        if before is None:
            break
        specs.insert(0, before)
    return specs[0].base, tuple(specs)


def spec_of(run: str, runs: Path) -> RunSpec | None:
    """The spec of the run with this id; None when it was deleted, or is no id."""
    try:
        return RunSpec.from_json(read_json(runs / run / "spec.json") or {})
    except InputError:
        return None

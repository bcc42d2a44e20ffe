"""The batches that a run really has: those of its spec, less where memory is short."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mtlab.halving import Part, halved_part, with_budget
from mtlab.runs.files import read_json
from mtlab.spec import RunSpec


def fitted_budget(folder: Path) -> int | None:
    """The token budget that was found to fit when the run in a folder first began to decode; None
    before that, and of what loads no such model.
    """
    kept = (read_json(folder / "provenance.json") or {}).get("token_budget")
    return kept if isinstance(kept, int) else None


def as_used(spec: RunSpec, halvings: Sequence[Part], folder: Path) -> RunSpec:
    """The spec of a run with the batches that it really has.

    Args:
        spec: complete, as it was launched.
        halvings: the parts whose batch was halved when memory ran out (`Status.halved`).
        folder: the run's.
    """
    for part in halvings:
        spec = halved_part(spec, part)
    fitted = fitted_budget(folder)
    return spec if fitted is None else with_budget(spec, fitted, halvings)

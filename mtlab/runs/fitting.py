"""What of a spec is decided by the memory that a run finds: its batches, and recomputing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from mtlab.halving import Part, halved_part, with_budget
from mtlab.models import Held, Spread, available_memory, settled, weights_bytes
from mtlab.models.facts import Shape
from mtlab.runs.files import read_json
from mtlab.spec import RunSpec, Training

if TYPE_CHECKING:
    from mtlab.models import Loaded
    from mtlab.prompts import Example


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


def settled_training(
    spec: RunSpec, shape: Shape, loaded: Loaded, examples: Sequence[Example]
) -> Training:
    """A run's training, of which it is decided whether activations are computed again.

    Args:
        spec: complete.
        shape: of its model.
        loaded: the model, which has its share of the memory already.
        examples: that it is trained on.
    """
    training = spec.training
    if training.gradient_checkpointing is not None:
        return training
    batch = min(training.batch_size or 1, len(examples))
    held = replace(
        Held.usual(training, spec.decoding),
        tokens=batch * max((len(one.input_ids) for one in examples), default=0),
        targets=batch * max((one.target_tokens for one in examples), default=0),
    )
    free, where = available_memory()
    room = free + weights_bytes(loaded.model)
    return settled(training, shape, room, where, held, Spread(spec.devices, spec.strategy))

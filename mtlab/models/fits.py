"""Whether a run fits into the memory there is, said before it is loaded; where not, what would."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from mtlab.errors import NotAvailable
from mtlab.models.facts import ModelFacts, Shape
from mtlab.models.memory import ONE, Held, MemoryNeed, Spread, per_parameter, spread_need
from mtlab.models.room import MAIN_MEMORY, available_memory
from mtlab.presets import BASES, Base
from mtlab.settings import Settings
from mtlab.spec import Training

_GIB = 2**30


@dataclass(frozen=True)
class Fit:
    """Whether a run fits into memory, as far as that is known before anything is fetched.

    Attributes:
        fits: whether it does; None where that is not known.
        sentence: for people: why, or what is not known.
    """

    fits: bool | None
    sentence: str


def fit_of(
    facts: ModelFacts | None,
    base: Base,
    training: Training,
    available: int,
    where: str,
    spread: Spread = ONE,
) -> Fit:
    """Whether a run fits into the memory there is.

    Args:
        facts: of the base; None where it is not on this machine.
        base: whose number of parameters tells something where there are no facts.
        training: complete.
        available: free bytes.
        where: `MAIN_MEMORY`, or which GPU's.
        spread: how the work is shared.
    """
    if facts is not None:
        need = spread_need(facts.shape, training, available, where, spread)
        return verdict(need, facts.shape, training, spread=spread)
    unknown = "It is not on this machine, so its memory is not known before it is fetched"
    if base.parameters is None:
        return Fit(None, f"{unknown}.")
    weights, extra = per_parameter(training, where)
    least = (weights + extra) * base.parameters
    known = f"at least {least / _GIB:.1f} GiB needed, {available / _GIB:.1f} GiB free ({where})"
    if least > available:
        shape = Shape.guessed(base.parameters)
        instead = lighter(shape, training, available, where, spread=spread)
        return Fit(False, f"Does not fit: {known}; {instead}.")
    return Fit(None, f"{unknown}: {known}.")


def verdict(
    need: MemoryNeed,
    shape: Shape,
    training: Training,
    held: Held | None = None,
    spread: Spread = ONE,
) -> Fit:
    """Whether a need can be met, in a sentence; where not, with what would fit."""
    if need.total <= need.available:
        return Fit(True, f"Fits: {need.sentence()}.")
    instead = lighter(shape, training, need.available, need.where, held, spread)
    return Fit(False, f"Does not fit: {need.sentence()}; {instead}.")


def check_fits(
    facts: ModelFacts,
    training: Training,
    settings: Settings,
    held: Held | None = None,
    spread: Spread = ONE,
    room: tuple[int, str] | None = None,
) -> MemoryNeed:
    """Estimate a run's memory.

    Args:
        facts: of its base.
        training: complete.
        settings: the lab's.
        held: in tokens, where its texts are known.
        spread: how the work is shared.
        room: free bytes and where; as `available_memory` finds them when not given.

    Raises:
        NotAvailable: it needs more than there is; says how much, and what would fit.
    """
    need = spread_need(facts.shape, training, *(room or available_memory()), spread, held)
    if need.total > need.available:
        raise NotAvailable(
            "the base model is too large for this machine",
            why=need.sentence(),
            fix=lighter(facts.shape, training, need.available, need.where, held, spread),
        )
    return need


def lighter(
    shape: Shape,
    training: Training,
    available: int,
    where: str,
    held: Held | None = None,
    spread: Spread = ONE,
) -> str:
    """What would fit, found by estimating lighter settings one after another: first with fewer
    processes where they share main memory, for that changes nothing of what is learnt.
    """
    for fewer in range(spread.devices - 1, 0, -1) if where == MAIN_MEMORY else ():
        less = replace(spread, devices=fewer)
        if spread_need(shape, training, available, where, less, held).total <= available:
            return f"{fewer} device{'s fit' if fewer > 1 else ' fits'}"
    full = training.method == "full"
    tries: list[tuple[str, dict[str, Any]]] = []
    batch = training.batch_size or 8
    if training.trains:
        smaller = [one for one in (32, 16, 8, 4, 2, 1) if one < batch]
        spared = {"gradient_checkpointing": True}
        tries += [(f"batch size {one} fits", {"batch_size": one}) for one in smaller]
        if training.gradient_checkpointing is False:
            tries.append(("gradient checkpointing fits", spared))
            tries += [
                (
                    f"gradient checkpointing with batch size {one} fits",
                    {**spared, "batch_size": one},
                )
                for one in smaller
            ]
        if full:
            lora = {"method": "lora"}
            tries.append(("LoRA instead of full fine-tuning fits", lora))
            tries.append((f"LoRA with batch size {min(batch, 1)} fits", {**lora, "batch_size": 1}))
    usual = held or Held.usual(training)
    for part, also in ((1, ""), (8, " with an eighth of the token budget")):
        for said, changes in tries if part == 1 else [("it fits", {}), *tries]:
            changed = training.model_copy(update=changes)
            cut = usual.cut(batch, changed, part)
            if spread_need(shape, changed, available, where, spread, cut).total <= available:
                return said + also
    return _smaller_base(shape.parameters, training, available, where, spread)


def _smaller_base(than: int, training: Training, available: int, where: str, spread: Spread) -> str:
    """The largest of the named bases that would fit."""
    known = [(base.parameters, base.name) for base in BASES.values() if base.parameters]
    for parameters, name in sorted(known, reverse=True):
        if parameters >= than:
            continue
        shape = Shape.guessed(parameters)
        if spread_need(shape, training, available, where, spread).total <= available:
            return f"a base as small as {name} fits"
    return "choose a smaller base model, or a machine with more memory"

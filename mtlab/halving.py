"""The same run in half the memory: half the batch, twice the accumulation.

What is learnt hangs on the pairs per optimizer step, which stay the same; in the last bits the
sums are others. Decoding in smaller batches gives the same answers in fp32; in bf16 the last bits
may turn some into others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from mtlab.errors import InputError
from mtlab.spec import RunSpec

Part = Literal["training", "decoding"]

LEAST_BUDGET = 64
_MOST_ACCUMULATION = 4096


def halved(spec: RunSpec) -> RunSpec:
    """A complete spec with half the batch in training, twice the accumulation, and half the token
    budget in decoding; each as far as it can be halved.

    An odd batch becomes the largest one below its half that divides the pairs of a step.

    Raises:
        InputError: no batch of it can be made smaller.
    """
    parts: tuple[Part, ...] = ("training", "decoding") if spec.training.trains else ("decoding",)
    possible = [part for part in parts if can_halve(spec, part)]
    if not possible or "training" in parts and "training" not in possible:
        raise InputError(
            "the batch cannot be made smaller",
            field="training.batch_size" if "training" in parts else "decoding.token_budget",
            fix="turn gradient checkpointing on, use LoRA, or choose a smaller base model",
        )
    for part in possible:
        spec = halved_part(spec, part)
    return spec


def can_halve(spec: RunSpec, part: Part) -> bool:
    """Whether a complete spec's training or decoding can do with a smaller batch."""
    return halved_part(spec, part) != spec


def halved_part(spec: RunSpec, part: Part) -> RunSpec:
    """A complete spec with a smaller batch in one part; the same where there is none."""
    if part == "decoding":
        if spec.decoding.token_budget is None:
            return spec  # open: what is found to fit is halved (`with_budget`)
        budget = max(LEAST_BUDGET, spec.decoding.token_budget // 2)
        return spec.with_changes(decoding__token_budget=budget)
    batch, accumulation = spec.training.batch_size or 1, spec.training.accumulation or 1
    pairs = batch * accumulation
    for smaller in range(batch // 2, 0, -1):
        if pairs % smaller == 0 and pairs // smaller <= _MOST_ACCUMULATION:
            return spec.with_changes(
                training__batch_size=smaller, training__accumulation=pairs // smaller
            )
    return spec


def with_budget(spec: RunSpec, fitted: int, halvings: Sequence[Part]) -> RunSpec:
    """A spec that decodes within what memory has room for.

    Args:
        spec: complete, its parts halved already.
        fitted: the token budget that was found to fit before any part was halved.
        halvings: the parts that were. What had been found to fit and did not is halved as well:
            half of what is allowed may still be more than that.
    """
    budget = max(LEAST_BUDGET, fitted >> halvings.count("decoding"))
    allowed = spec.decoding.token_budget or budget
    return spec.with_changes(decoding__token_budget=min(budget, allowed))


def in_words(spec: RunSpec, part: Part) -> str:
    """The batch of a spec's part, for people."""
    if part == "decoding":
        return f"{spec.decoding.token_budget} tokens a batch"
    batch, accumulation = spec.training.batch_size or 1, spec.training.accumulation or 1
    return f"{batch} pairs a batch, {batch * accumulation} a step as before"

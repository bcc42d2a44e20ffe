"""What a spec leaves open: steps, rates and batches that are right for a model and a size.

The numbers stand in tables, so that whoever measures better ones changes a row and nothing else.
How those of nano were found is written in its model card (`assets/nano/README.md`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mtlab.commands import FLAGS, field_of
from mtlab.errors import InputError
from mtlab.methods import FEW_SHOT
from mtlab.presets import Base
from mtlab.spec import Decoding, RunSpec, Training


@dataclass(frozen=True)
class Recipe:
    """How a kind of model is fine-tuned.

    Attributes:
        method: `lora` or `full`.
        learning_rate: peak rate, by method.
        batch: pairs per optimizer step.
        passes: the most pairs in one forward pass; the rest is accumulated. A GPU that has room for
            more takes more (`mtlab.models.passes`).
        steps: by method, (training pairs, optimizer steps), rising; between rows it is
            interpolated.
        epochs_beyond: passes over the data beyond the last row.
        max_length: tokens per example.
        checkpointing: whether activations are recomputed; None where memory asks for it.
    """

    method: str
    learning_rate: dict[str, float]
    batch: int
    passes: int
    steps: dict[str, tuple[tuple[int, int], ...]]
    epochs_beyond: float
    max_length: int
    checkpointing: bool | None = False

    def steps_for(self, size: int, method: str) -> int:
        """Optimizer steps for so many training pairs, by `lora` or `full`."""
        table = self.steps[method]
        first_size, first_steps = table[0]
        if size <= first_size:
            return first_steps
        for (low, low_steps), (high, high_steps) in zip(table, table[1:], strict=False):
            if size <= high:
                share = (size - low) / (high - low)
                return round(low_steps + share * (high_steps - low_steps))
        last_size, last_steps = table[-1]
        return max(last_steps, round(self.epochs_beyond * size / self.batch))


NANO = Recipe(
    method="full",
    learning_rate={"full": 3e-4, "lora": 1e-3},
    batch=16,
    passes=16,
    steps={
        "full": ((32, 10), (256, 12), (1024, 48)),
        "lora": ((32, 32), (256, 32), (1024, 64)),
    },
    epochs_beyond=1.0,
    max_length=256,
)

SMALL = Recipe(  # under 1 B parameters
    method="lora",
    learning_rate={"lora": 2e-4, "full": 2e-5},
    batch=16,
    passes=8,
    steps=dict.fromkeys(("lora", "full"), ((32, 20), (256, 48), (1024, 128), (8192, 512))),
    epochs_beyond=1.0,
    max_length=512,
)

LARGE = Recipe(  # 1 B parameters and more
    method="lora",
    learning_rate={"lora": 2e-4, "full": 5e-6},
    batch=16,
    passes=4,
    steps=dict.fromkeys(("lora", "full"), ((32, 16), (256, 40), (1024, 96), (8192, 512))),
    epochs_beyond=1.0,
    max_length=512,
    checkpointing=None,
)


_TINY_BUDGET = 65_536
_CPU_BUDGET, _GPU_BUDGET = 8_192, 262_144


def budget_of(decoding: Decoding, on_gpu: bool) -> int:
    """Prompt tokens x beams that may be decoded at once: what the spec says, or what is usual on
    such a machine. A step of a GPU hardly takes longer for more of them.
    """
    return decoding.token_budget or (_GPU_BUDGET if on_gpu else _CPU_BUDGET)


def recipe_for(base: Base) -> Recipe:
    """The recipe of a base model, by its size."""
    if base.name == "nano" or (base.parameters is not None and base.parameters < 50_000_000):
        return NANO
    if base.parameters is not None and base.parameters < 1_000_000_000:
        return SMALL
    return LARGE


def complete(spec: RunSpec, base: Base) -> RunSpec:
    """The spec with every open value of its training, decoding and test filled in, but for what a
    machine's memory decides when the run begins: recomputing, and a large model's token budget.
    """
    recipe = recipe_for(base)
    data = spec.to_json()
    if spec.training.trains:
        data["training"] = _complete_training(spec.training, recipe, spec.size)
    else:
        data |= _untrained(spec)
    data["decoding"] = _complete_decoding(spec.decoding, base)
    data["test"] = [str(direction) for direction in spec.tested]
    data["test_corpus"] = spec.test_corpus or spec.corpus
    return RunSpec.from_json(data)


def reopened(spec: RunSpec, base: Base) -> RunSpec:
    """The same run with as much left open as can be: `complete` makes the same of both.

    So that what follows from the base, the method and the size follows again when one of them is
    changed, as where a finished run, whose spec is complete, is the beginning of the next.
    """
    whole = complete(spec, base)
    for _, path in FLAGS:
        try:
            opened = spec.with_changes(**{path.replace(".", "__"): field_of(path).default})
            if complete(opened, base) == whole:
                spec = opened
        except InputError:
            continue  # it cannot be left out
    return spec


def _untrained(spec: RunSpec) -> dict[str, Any]:
    """What a run that trains nothing has no use for, as in every other such run.

    A base that is taken as it is needs no untuned base beside it: it would be the same one.
    """
    shows = spec.training.method == FEW_SHOT
    training = Training(method=spec.training.method, precision=spec.training.precision)
    return {
        "training": training.model_dump(mode="json"),
        "train": [],
        "size": spec.size if shows else 0,
        "balance": "balanced",
        "probe_size": 0,
        "score_base": spec.score_base and shows,
    }


def _complete_training(training: Training, recipe: Recipe, size: int) -> dict[str, Any]:
    method = training.method or recipe.method
    passes = training.batch_size or min(recipe.passes, recipe.batch)
    accumulation = training.accumulation or max(1, round(recipe.batch / passes))
    steps = training.steps or recipe.steps_for(size, method)
    data = training.model_dump(mode="json")
    open_values = {
        "method": method,
        "learning_rate": recipe.learning_rate[method],
        "steps": steps,
        "batch_size": passes,
        "accumulation": accumulation,
        "gradient_checkpointing": recipe.checkpointing,
        "max_length": recipe.max_length,
        "checkpoint_steps": max(10, steps // 5),
    }
    for name, value in open_values.items():
        if data[name] is None:
            data[name] = value
    return data


def _complete_decoding(decoding: Decoding, base: Base) -> dict[str, Any]:
    data = decoding.model_dump(mode="json")
    tiny = base.parameters is not None and base.parameters < 50_000_000
    if data["token_budget"] is None and tiny:
        data["token_budget"] = _TINY_BUDGET
    if data["max_new_tokens"] is None:
        # Nano was made on texts of 160 tokens; an untuned model rambles to whatever limit it has.
        data["max_new_tokens"] = 128 if tiny else decoding.token_limit
    return data

"""What the contestants in training are told: the model, the texts and the settings all share."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from mtlab.bench.training_texts import Row, held_out_texts, training_texts, write_model
from mtlab.defaults import recipe_for
from mtlab.errors import InputError
from mtlab.presets import Base, resolve_base
from mtlab.settings import ASSETS, Settings

Method = Literal["lora", "full"]

BATCH = 16
MAX_LENGTH = 256
LORA_RANK = 16

RANDOM = "100m"
"""The model that is no base: 97 M random weights, written when it is asked for."""

_RANDOM_RATE: dict[Method, float] = {"lora": 1e-3, "full": 3e-4}


@dataclass(frozen=True)
class Course:
    """What is trained, on what, how long.

    Attributes:
        model: a folder, or a hub name.
        method: `lora` or `full`.
        train: texts to train on.
        held_out: texts for the loss at the end.
        steps: of a lap.
        learning_rate: at its peak.
        length: tokens of a text at most, and of a row of several where a rival packs.
        batch: texts in a step.
        untimed: steps of a lap before its clock begins; at least 1.
        warm_laps: laps before the first that counts.
        options: of the lab's `Training`, beyond what all share.
    """

    model: str
    method: Method
    train: Sequence[Row]
    held_out: Sequence[Row]
    steps: int
    learning_rate: float
    length: int = MAX_LENGTH
    batch: int = BATCH
    untimed: int = 1
    warm_laps: int = 1
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a lap without a step to time.

        Raises:
            InputError: there is none.
        """
        if self.steps <= self.untimed:
            raise InputError(
                f"of {self.steps} steps none is left to be timed after the first {self.untimed}",
                field="steps",
                fix=f"give {self.untimed + 1} or more",
            )

    def write(self, place: Path) -> dict[str, Any]:
        """The task that contestants are told; its texts are written into a folder."""
        texts = {"train": list(self.train), "held_out": list(self.held_out)}
        (place / "texts.json").write_text(json.dumps(texts), encoding="utf-8")
        return {
            "model": self.model,
            "texts": str(place / "texts.json"),
            "mean_length": sum(len(ids) for ids, _ in self.train) / len(self.train),
            "method": self.method,
            "steps": self.steps,
            "untimed": self.untimed,
            "warm_laps": self.warm_laps,
            "batch": self.batch,
            "max_length": self.length,
            "learning_rate": self.learning_rate,
            "warmup_steps": math.ceil(self.steps / 10),
            "lora_rank": LORA_RANK,
            "lora_alpha": 2 * LORA_RANK,
            "seed": 0,
            "options": dict(self.options),
        }


def base_of(model: str, settings: Settings) -> Base:
    """The base model of a name, as one that TRL can load as well.

    Raises:
        InputError: there is none, or it is a run's adapter, or no model to train.
    """
    fix = f"name nano, {RANDOM}, a model folder or a hub name"
    try:
        base = resolve_base(model, settings)
    except InputError as error:
        raise InputError(error.what, field="model", why=error.why, fix=fix) from None
    if base.adapters or (base.path is None and base.repo is None):
        raise InputError(f"'{model}' is no model that all can load", field="model", fix=fix)
    return base


def course_of(model: str, method: Method, steps: int, settings: Settings, place: Path) -> Course:
    """The course of `mtlab bench train`: bundled sentences, cut by the model's own tokenizer.

    Args:
        model: `100m`, or what `resolve_base` knows: `nano`, a folder, a hub name.
        method: `lora` or `full`.
        steps: of a lap; the first is not timed.
        settings: the lab's.
        place: where a model that has to be made is written.

    Raises:
        InputError: there is no such model, or it is not one to train anew.
        NotAvailable: the hub cannot be reached.
    """
    from mtlab.models.load import read_tokenizer

    if model == RANDOM:
        folder = place / "model"
        write_model(folder)
        location, rate, again = str(folder), _RANDOM_RATE[method], False
        base = resolve_base("nano", settings)
        tokenizer = read_tokenizer(base, str(ASSETS / "nano"), None, settings)
    else:
        base = base_of(model, settings)
        recipe = recipe_for(base)
        location, rate = base.location, recipe.learning_rate[method]
        again = recipe.checkpointing is not False  # where memory may ask for it, both do alike
        tokenizer = read_tokenizer(base, location, base.revision, settings)
    return Course(
        location,
        method,
        training_texts(settings, tokenizer, MAX_LENGTH),
        held_out_texts(settings, tokenizer, MAX_LENGTH),
        steps,
        rate,
        options={"gradient_checkpointing": again},
    )

"""What a pre-training run is to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mtlab.errors import InputError


@dataclass(frozen=True)
class PretrainSpec:
    """A base model to make.

    Attributes:
        corpus: a folder of parallel text (see `parallel`).
        out: where the model goes, and the checkpoint while it is made.
        share: the share of text of some languages, 0-1; the others keep the corpus's proportions.
        minutes: the budget in minutes of training, or
        tokens: the budget in tokens; one of the two.
        base: a model to go on from; its architecture and tokenizer are kept.
        layers: depth of a new model.
        hidden: width of a new model.
        heads: attention heads of a new model.
        vocab: tokenizer pieces of a new model.
        length: tokens of a training row.
        rows: rows of a step.
        rate: peak learning rate.
        weight_decay: of the matrices inside.
        save_minutes: how often a usable model and a checkpoint are written.
        seed: of the documents and the new weights.
        resume: go on from the checkpoint in `out`.
    """

    corpus: Path
    out: Path
    share: Mapping[str, float] = field(default_factory=dict)
    minutes: float | None = None
    tokens: int | None = None
    base: Path | None = None
    layers: int = 6
    hidden: int = 256
    heads: int = 4
    vocab: int = 8000
    length: int = 160
    rows: int = 24
    rate: float = 1.8e-3
    weight_decay: float = 0.05
    save_minutes: float = 10.0
    seed: int = 0
    resume: bool = False

    def __post_init__(self) -> None:
        if (self.minutes is None) == (self.tokens is None):
            raise InputError(
                "a budget is needed, and one only",
                field="minutes",
                fix="give --minutes or --tokens",
            )
        positive = {
            "minutes": self.minutes,
            "tokens": self.tokens,
            "layers": self.layers,
            "hidden": self.hidden,
            "heads": self.heads,
            "length": self.length,
            "rows": self.rows,
            "rate": self.rate,
            "save_minutes": self.save_minutes,
        }
        for name, value in positive.items():
            if value is not None and value <= 0:
                raise InputError(f"{value:g} is too small", field=name, fix="give a number above 0")
        if self.vocab < 300:
            raise InputError(
                f"{self.vocab} pieces cannot hold every byte", field="vocab", fix="give 300 or more"
            )

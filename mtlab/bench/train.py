"""The contest of training: fine-tuning in the lab against TRL's SFTTrainer.

All train the same model on the same texts, with the same number of texts and the same learning
rate in every step, for equally many steps, each in a process of its own. A lap's clock runs from
the end of its first step to the end of its last: nothing is loaded, compiled or saved meanwhile.
What is counted is the target tokens that the loss was made of, which is what a person trains for;
prompts and padding are how one gets there. That all learn the same is seen from the loss they end
with on texts that none was trained on.

Not covered: several devices; accumulation; loading and saving.
"""

from __future__ import annotations

import json
import math
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from mtlab.bench.contest import Lap, Standing, hold
from mtlab.bench.environments import ensure
from mtlab.bench.peer import PROGRAMS, Peer
from mtlab.bench.training_texts import held_out_texts, training_texts, write_model
from mtlab.errors import InputError
from mtlab.settings import ASSETS, Settings

Model = Literal["nano", "100m"]
Method = Literal["lora", "full"]

BATCH = 16
MAX_LENGTH = 256
LEARNING_RATE: dict[Method, float] = {"lora": 1e-3, "full": 3e-4}


@dataclass(frozen=True)
class Rival:
    """A way of training with TRL.

    Attributes:
        how: its settings, for a table.
        options: of its `SFTConfig`, beyond what all share.
    """

    how: str
    options: dict[str, Any]


RIVALS = {
    "trl": Rival("SFTTrainer, its defaults", {"max_length": MAX_LENGTH}),
    "trl-no-checkpointing": Rival(
        "SFTTrainer, activations kept", {"max_length": MAX_LENGTH, "gradient_checkpointing": False}
    ),
    "trl-packing": Rival(
        "SFTTrainer, packing, activations kept",
        {"max_length": MAX_LENGTH, "packing": True, "gradient_checkpointing": False},
    ),
    "trl-padding-free": Rival(
        "SFTTrainer, padding-free, activations kept",
        {"max_length": None, "padding_free": True, "gradient_checkpointing": False},
    ),
}
"""TRL recomputes activations by default, which saves memory; who looks for speed keeps them."""

REFERENCE = "trl"


def contest(
    against: Sequence[str],
    settings: Settings,
    *,
    model: Model,
    method: Method,
    steps: int,
    rounds: int,
    tell: Callable[[str], None] = lambda text: None,
) -> list[Standing]:
    """Hold the contest; the reference is TRL with its defaults.

    Args:
        against: names from `RIVALS`.
        settings: the lab's.
        model: the bundled nano, or one of 100 M parameters and random weights.
        method: `lora` or `full`.
        steps: of a lap; the first is not timed.
        rounds: laps of each.
        tell: is told what happens.

    Returns:
        A standing each, the reference's first. The agreement is the difference from its loss on
        held-out texts after the last step, in nats per token; the quality is that loss itself.

    Raises:
        InputError: a rival that is not known, or too few steps.
        NotAvailable: TRL cannot train here.
    """
    unknown = [name for name in against if name not in RIVALS]
    if unknown:
        raise InputError(
            f"'{unknown[0]}' does not train",
            field="against",
            fix=f"choose from {', '.join(RIVALS)}",
        )
    if steps < 2:
        raise InputError("one step cannot be timed", field="steps", fix="give 2 or more")
    with tempfile.TemporaryDirectory() as place:
        task = write_task(Path(place), settings, model=model, method=method, steps=steps)
        wanted = [name for name in RIVALS if name in against or name == REFERENCE]
        contestants = [*(rival(name, task, settings, tell) for name in wanted), lab(task, settings)]
        return hold(contestants, rounds, _difference, lambda lap: float(lap.made[0]), tell=tell)


def write_task(
    place: Path, settings: Settings, *, model: Model, method: Method, steps: int
) -> dict[str, Any]:
    """What all contestants are told: the model's folder, the texts' file and the settings.

    Args:
        place: where what has to be made is written.
        settings: the lab's.
        model: which one.
        method: `lora` or `full`.
        steps: of a lap.
    """
    folder = ASSETS / "nano"
    if model == "100m":
        folder = place / "model"
        write_model(folder)
    train = training_texts(settings, MAX_LENGTH)
    texts = {"train": train, "held_out": held_out_texts(settings, MAX_LENGTH)}
    (place / "texts.json").write_text(json.dumps(texts), encoding="utf-8")
    return {
        "model": str(folder),
        "texts": str(place / "texts.json"),
        "mean_length": sum(len(ids) for ids, _ in train) / len(train),
        "method": method,
        "steps": steps,
        "batch": BATCH,
        "max_length": MAX_LENGTH,
        "learning_rate": LEARNING_RATE[method],
        "warmup_steps": math.ceil(steps / 10),
        "lora_rank": 16,
        "lora_alpha": 32,
        "seed": 0,
        "options": {},
    }


@dataclass
class Trainer:
    """A contestant: a program in a process of its own.

    Attributes:
        name: as on the command line.
        how: its settings, for a table.
        task: what it is told.
        command: what it is started with, once its environment is there.
        settings: the lab's.
    """

    name: str
    how: str
    task: dict[str, Any]
    command: Callable[[], list[str]]
    settings: Settings
    _peer: Peer | None = None

    def prepare(self) -> dict[str, str]:
        """Start the process and train once unmeasured; returns its packages' versions.

        Raises:
            NotAvailable: it cannot train here, and why.
        """
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        threads = str(self.settings.threads or cores)
        environment = {"OMP_NUM_THREADS": threads, "HF_HUB_OFFLINE": "1"}
        self._peer = Peer(self.name, self.command(), environment)
        versions = self._peer.ask("prepare", task=self.task)
        self.lap()
        return versions

    def lap(self) -> Lap:
        """Train once from the start."""
        assert self._peer is not None
        done = self._peer.ask("lap")
        made = (float(done["loss"]),)
        return Lap(float(done["seconds"]), float(done["work"]), made, float(done["cpu"]))

    def close(self) -> None:
        """End the process."""
        if self._peer is not None:
            self._peer.close()


def lab(task: dict[str, Any], settings: Settings) -> Trainer:
    """The lab's own fine-tuning, as it is by default."""
    command = [sys.executable, "-m", "mtlab.bench.training_lap"]
    return Trainer("mtlab", "its defaults", task, lambda: command, settings)


def rival(
    name: str, task: dict[str, Any], settings: Settings, tell: Callable[[str], None]
) -> Trainer:
    """One of `RIVALS`, in TRL's environment, which is built if it is not there."""

    def command() -> list[str]:
        return [str(ensure("trl", settings, tell)), "-I", str(PROGRAMS / "trl_peer.py")]

    return Trainer(name, RIVALS[name].how, told(name, task), command, settings)


def told(name: str, task: dict[str, Any]) -> dict[str, Any]:
    """What one of `RIVALS` is told.

    A packed row holds several texts, so there are fewer rows in a step: as many texts as elsewhere.
    """
    options, batch = RIVALS[name].options, task["batch"]
    if options.get("packing"):
        batch = max(1, round(batch * task["mean_length"] / task["max_length"]))
    return task | {"options": options, "batch": batch}


def _difference(one: Lap, reference: Lap) -> float:
    return abs(float(one.made[0]) - float(reference.made[0]))

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

import os
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mtlab.bench.contest import Lap, Standing, hold
from mtlab.bench.environments import ensure
from mtlab.bench.peer import PROGRAMS, Peer
from mtlab.bench.training_task import Method, course_of
from mtlab.errors import InputError
from mtlab.runs.job_environment import ALLOCATING
from mtlab.settings import Settings


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
    "trl": Rival("SFTTrainer, its defaults", {}),
    "trl-no-checkpointing": Rival(
        "SFTTrainer, activations kept", {"gradient_checkpointing": False}
    ),
    "trl-packing": Rival(
        "SFTTrainer, packing, activations kept",
        {"packing": True, "gradient_checkpointing": False},
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
    model: str,
    method: Method,
    steps: int,
    rounds: int,
    tell: Callable[[str], None] = lambda text: None,
) -> list[Standing]:
    """Hold the contest; the reference is TRL with its defaults.

    Args:
        against: names from `RIVALS`.
        settings: the lab's.
        model: `nano`; `100m`, of as many parameters and random weights; a folder or a hub name.
        method: `lora` or `full`.
        steps: of a lap; the first is not timed.
        rounds: laps of each.
        tell: is told what happens.

    Returns:
        A standing each, the reference's first. The agreement is the difference from its loss on
        held-out texts after the last step, in nats per token; the quality is that loss itself.

    Raises:
        InputError: a rival or a model that is not known, or too few steps.
        NotAvailable: TRL cannot train here, or the model cannot be had.
    """
    unknown = [name for name in against if name not in RIVALS]
    if unknown:
        raise InputError(
            f"'{unknown[0]}' does not train",
            field="against",
            fix=f"choose from {', '.join(RIVALS)}",
        )
    with tempfile.TemporaryDirectory() as place:
        task = course_of(model, method, steps, settings, Path(place)).write(Path(place))
        wanted = [name for name in RIVALS if name in against or name == REFERENCE]

        def python() -> Path:
            return ensure("trl", settings, tell)

        rivals = (rival(name, RIVALS[name], task, settings, python) for name in wanted)
        contestants = [*rivals, lab(task, settings)]
        return hold(contestants, rounds, difference, loss, tell=tell)


@dataclass
class Trainer:
    """A contestant: a program in a process of its own.

    Attributes:
        name: as on the command line.
        how: its settings, for a table.
        task: what it is told.
        command: what it is started with, once its environment is there.
        settings: the lab's.
        environment: variables of its own.
    """

    name: str
    how: str
    task: dict[str, Any]
    command: Callable[[], list[str]]
    settings: Settings
    environment: Mapping[str, str] = field(default_factory=dict)
    _peer: Peer | None = None

    def prepare(self) -> dict[str, str]:
        """Start the process and train unmeasured, where the task says so; returns its packages'
        versions.

        Raises:
            NotAvailable: it cannot train here, and why.
        """
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        threads = str(self.settings.threads or cores)
        environment = {"OMP_NUM_THREADS": threads, **self.environment}
        if self.settings.offline or Path(self.task["model"]).is_dir():
            environment["HF_HUB_OFFLINE"] = "1"
        self._peer = Peer(self.name, self.command(), environment)
        versions = self._peer.ask("prepare", task=self.task)
        for _ in range(self.task["warm_laps"]):
            self.lap()
        return versions

    def lap(self) -> Lap:
        """Train once from the start."""
        assert self._peer is not None
        done = self._peer.ask("lap")
        made = tuple(map(float, (done["loss"], *done["losses"])))
        seconds, work, cpu = (float(done[name]) for name in ("seconds", "work", "cpu"))
        return Lap(seconds, work, made, cpu, done["peak"])

    def close(self) -> None:
        """End the process."""
        if self._peer is not None:
            self._peer.close()


def lab(task: dict[str, Any], settings: Settings) -> Trainer:
    """The lab's own fine-tuning, as it is by default but for the task's options."""
    command = [sys.executable, "-m", "mtlab.bench.training_lap"]
    again = task["options"].get("gradient_checkpointing")
    how = f"its defaults, activations {'computed again' if again else 'kept'}"
    return Trainer("mtlab", how, task, lambda: command, settings, ALLOCATING)


def rival(
    name: str, how: Rival, task: dict[str, Any], settings: Settings, python: Callable[[], Path]
) -> Trainer:
    """A way of training with TRL, as a contestant.

    Args:
        name: as on the command line.
        how: such as one of `RIVALS`.
        task: what all are told.
        settings: the lab's.
        python: finds the interpreter of an environment with TRL, when it is wanted.
    """

    def command() -> list[str]:
        return [str(python()), "-I", str(PROGRAMS / "trl_peer.py")]

    return Trainer(name, how.how, told(how, task), command, settings)


def told(how: Rival, task: dict[str, Any]) -> dict[str, Any]:
    """What a rival is told.

    A packed row holds several texts, so there are fewer rows in a step: as many texts as elsewhere.
    """
    options, batch = {"max_length": task["max_length"], **how.options}, task["batch"]
    if options.get("packing"):
        batch = max(1, round(batch * task["mean_length"] / task["max_length"]))
    return task | {"options": options, "batch": batch}


def loss(lap: Lap) -> float:
    """What a lap ended with on held-out texts, in nats per token."""
    return float(lap.made[0])


def losses(lap: Lap) -> list[float]:
    """Those of its steps, in nats per token; of a rival those of the steps that it logs."""
    return [float(one) for one in lap.made[1:]]


def difference(one: Lap, reference: Lap) -> float:
    """Between two laps' losses."""
    return abs(loss(one) - loss(reference))

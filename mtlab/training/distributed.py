"""One training shared among processes, a device each: who is who, and what all of them agree on.

A step's examples are those that one process would see, in the order the seed gives them, dealt out
among the processes; the loss is the mean over all their target tokens, whoever has them. So N
processes learn what one does, but for the order in which sums are made. The first process leads:
it alone tells of the steps, hears that the training is to stop, and writes.
"""

from __future__ import annotations

import contextlib
import math
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import torch
import torch.distributed as dist
from accelerate.utils import check_cuda_p2p_ib_support  # type: ignore[import-untyped]
from torch.utils.data import DataLoader, Dataset, Sampler
from transformers import TrainerCallback
from transformers.trainer import safe_globals

from mtlab.prompts import IGNORED, Example
from mtlab.training.order import ExampleOrder

MEETING = ".rendezvous.tmp"
"""The file in a run's folder by which its processes find each other."""

# A process that is gone is noticed by whoever started it; one that only takes long is waited for.
_PATIENCE = timedelta(hours=12)
_APART = 7919
_KEPT: list[Any] = []
"""Groups that have done their work, for as long as the process lives.

When the last reference to a gloo group goes, its destructor waits for the group's own thread while
it holds Python's lock, for which that thread may be waiting to let go of the last tensor (torch
2.13): then both wait for ever. It is met by chance, on a busy machine.
"""


@dataclass(frozen=True)
class Place:
    """A process's place among those that train one model.

    Attributes:
        rank: 0 leads.
        world: how many there are.
        strategy: `ddp`, the whole model on each device, or `fsdp`, a share of it on each.
    """

    rank: int = 0
    world: int = 1
    strategy: Literal["ddp", "fsdp"] = "ddp"

    @property
    def leads(self) -> bool:
        """Whether it is the one that tells and writes."""
        return self.rank == 0

    @property
    def shares(self) -> bool:
        """Whether there are others."""
        return self.world > 1

    @property
    def shards(self) -> bool:
        """Whether it holds a share of the model alone."""
        return self.shares and self.strategy == "fsdp"

    def passes(self, pairs: int, batch: int) -> int:
        """Forward passes for its share of a step's pairs, at most `batch` pairs in each."""
        return math.ceil(math.ceil(pairs / self.world) / batch)


ALONE = Place()


@contextlib.contextmanager
def together(place: Place, folder: Path, device: str) -> Iterator[None]:
    """Join the other processes that train the model of a run; they all call this.

    No port is opened for finding each other, and on a CPU nothing leaves this machine's loopback.

    Args:
        place: of this process.
        folder: the run's.
        device: `cpu`, or `cuda` for the GPU numbered like the process.
    """
    if not place.shares:
        yield
        return
    told = {
        "RANK": place.rank, "LOCAL_RANK": place.rank,
        "WORLD_SIZE": place.world, "LOCAL_WORLD_SIZE": place.world,
        "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": 0,
    }  # fmt: skip
    before = set(os.environ)
    os.environ.update({name: str(value) for name, value in told.items()})  # accelerate reads them
    if sys.platform == "linux":
        os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    if device == "cuda":
        torch.cuda.set_device(place.rank)
        if not check_cuda_p2p_ib_support():  # of some cards; accelerate refuses to go on without
            os.environ |= {"NCCL_P2P_DISABLE": "1", "NCCL_IB_DISABLE": "1"}
    try:
        dist.init_process_group(
            "cpu:gloo,cuda:nccl" if device == "cuda" else "gloo",
            store=dist.FileStore(str(folder / MEETING), place.world),  # type: ignore[attr-defined]
            rank=place.rank,
            world_size=place.world,
            timeout=_PATIENCE,
        )
        yield
        # Only where all went well: what is left of a group that broke ends with the process.
        dist.barrier()
        _KEPT.extend(dist.distributed_c10d._world.pg_map)
        dist.destroy_process_group()
    finally:
        # What is started later must not take itself for one of them.
        for name in set(os.environ) - before:
            if name in told or name.startswith(("ACCELERATE_", "FSDP_")):
                del os.environ[name]
        if place.leads:
            (folder / MEETING).unlink(missing_ok=True)


class Share(Sampler[list[int]]):
    """The examples that one process sees, pass by pass, over all steps.

    Each process makes as many passes as every other, for they add up their gradients after each
    step. Where a step's examples cannot be dealt out evenly, the shorter shares are filled up with
    examples that count for nothing; in the indices they stand as `~index`.

    Args:
        order: the order of the whole training.
        steps: optimizer steps.
        place: of the process.
        passes: forward passes in each step.
    """

    def __init__(self, order: ExampleOrder, steps: int, place: Place, passes: int) -> None:
        self._order = order
        self._steps = steps
        self._place = place
        self._passes = passes

    def __len__(self) -> int:
        return self._steps * self._passes

    def __iter__(self) -> Iterator[list[int]]:
        for step in range(1, self._steps + 1):
            rows = self._order.step(step)
            own = rows[self._place.rank :: self._place.world]
            short = math.ceil(len(rows) / self._place.world) - len(own)
            own = own + [~rows[0]] * short
            for number in range(self._passes):
                yield own[number :: self._passes]


class Shared(Dataset[Example]):
    """Examples by the indices of `Share`."""

    def __init__(self, examples: Sequence[Example]) -> None:
        self.examples = examples

    def __len__(self) -> int:
        return len(self.examples)

    def __getitem__(self, index: int) -> Example:
        if index >= 0:
            return self.examples[index]
        example = self.examples[~index]
        return replace(example, labels=(IGNORED,) * len(example.labels))


class Agreement(TrainerCallback):  # type: ignore[misc]
    """Ends the training of all processes after the same step, when the first one wants it."""

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Hear whether the first process has been asked to stop."""
        if state.global_step >= state.max_steps:
            return
        word = torch.tensor([int(control.should_training_stop)])
        dist.broadcast(word, src=0)
        if word.item():
            control.should_training_stop = True
            control.should_save = True
            control.should_log = True


class Sharing:
    """What a Trainer does otherwise where it is one of several (a base class beside Trainer).

    Checkpoints are those of a training by one process, so that any number may go on from them; of
    the other processes they hold the random generators besides.
    """

    place: Place
    share: Share

    def get_train_dataloader(self) -> DataLoader[Any]:
        """The share of this process, which nobody divides once more."""
        return DataLoader(
            self.train_dataset,  # type: ignore[attr-defined]
            batch_sampler=self.share,
            collate_fn=self.data_collator,  # type: ignore[attr-defined]
            pin_memory=self.args.dataloader_pin_memory,  # type: ignore[attr-defined]
        )

    def _save_rng_state(self, output_dir: str) -> None:
        import random

        import numpy

        states: dict[str, Any] = {
            "python": random.getstate(),
            "numpy": numpy.random.get_state(),
            "cpu": torch.random.get_rng_state(),
        }
        if torch.cuda.is_available():
            states["cuda"] = torch.cuda.random.get_rng_state()
        os.makedirs(output_dir, exist_ok=True)
        torch.save(states, self._rng_file(output_dir))
        dist.barrier()  # what the first process writes last says that all is there

    def _load_rng_state(self, checkpoint: str | None) -> None:
        if checkpoint is None:
            return
        try:
            # Only what torch draws with: nothing else draws while a model is trained.
            with safe_globals():
                states = torch.load(self._rng_file(checkpoint), weights_only=True)
        except OSError:  # another number of processes wrote it
            seed = self.args.seed + _APART * self.place.rank  # type: ignore[attr-defined]
            torch.manual_seed(seed + self.state.global_step)  # type: ignore[attr-defined]
            return
        torch.random.set_rng_state(states["cpu"])
        if torch.cuda.is_available() and "cuda" in states:
            torch.cuda.random.set_rng_state(states["cuda"])

    def _rng_file(self, folder: str) -> Path:
        name = "rng_state.pth" if self.place.leads else f"rng_state_{self.place.rank}.pth"
        return Path(folder) / name


def draw_apart(place: Place, seed: int) -> None:
    """Have each process draw its own dropout from here on; the first draws as one alone would."""
    if place.rank:
        torch.manual_seed(seed + _APART * place.rank)

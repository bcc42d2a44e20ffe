"""A process that shares a run's work: `python -m mtlab.runs.mate FD RANK`, a child of its job.

It does what the job tells it over a pipe, trains and translates, and writes nothing of the run but
its share of a checkpoint. It is of the job's process group and carries its token, so that what ends
the job ends it; and it ends by itself as soon as the job is gone.
"""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import sys
import threading
import traceback
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from mtlab.errors import MtlabError
from mtlab.runs.explaining import is_out_of_memory
from mtlab.secrecy import redacted
from mtlab.settings import Settings
from mtlab.spec import RunSpec

if TYPE_CHECKING:
    from mtlab.decoding import Hypothesis, Parcel
    from mtlab.models import Loaded
    from mtlab.prompts import Example

Which = Literal["base", "run"]
"""Whose translations: the untouched base's, or those of what the run has made of it."""


@dataclass(frozen=True)
class Begin:
    """The first word: which run this is.

    Attributes:
        folder: the run's.
        spec: complete, with what was halved.
        settings: the lab's, with the threads of one process.
    """

    folder: Path
    spec: RunSpec
    settings: Settings


@dataclass(frozen=True)
class Train:
    """Train with the others.

    Attributes:
        examples: all of them.
    """

    examples: tuple[Example, ...]


@dataclass(frozen=True)
class Translate:
    """Translate a batch.

    Attributes:
        number: what the answer is to be called.
        which: the model.
        parcel: the batch.
    """

    number: tuple[int, int]
    which: Which
    parcel: Parcel


@dataclass(frozen=True)
class Translated:
    """A batch's answers."""

    number: tuple[int, int]
    answers: tuple[Hypothesis, ...]


@dataclass(frozen=True)
class Trouble:
    """Why the process ends, in the words of an error for people.

    Attributes:
        of_memory: whether memory ran out.
        is_told: whether it was an error meant for people.
    """

    what: str
    why: str | None
    fix: str | None
    of_memory: bool
    is_told: bool


def main(arguments: list[str]) -> int:
    """Do what is told until there is nobody to tell; returns the exit status."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # it is for the job to hear, which ends this one
    job, rank = Connection(int(arguments[0])), int(arguments[1])
    orders: queue.Queue[Any] = queue.Queue()
    threading.Thread(target=_listen, args=(job, orders), name="orders", daemon=True).start()
    try:
        begin = orders.get()
        mate = _Mate(begin, rank)
        while True:
            answer = mate.do(orders.get())
            if answer is not None:
                job.send(answer)
    except BaseException as error:
        if not isinstance(error, MtlabError):
            print(redacted(traceback.format_exc()), file=sys.stderr, end="", flush=True)
        with contextlib.suppress(OSError):
            job.send(_trouble(error))
        return 1


def _listen(job: Connection, orders: queue.Queue[Any]) -> None:
    """Hand on what the job says; without it there is nothing to do."""
    while True:
        try:
            orders.put(job.recv())
        except (EOFError, OSError):
            os._exit(3)


def _trouble(error: BaseException) -> Trouble:
    memory = is_out_of_memory(error)
    if isinstance(error, MtlabError):
        return Trouble(error.what, error.why, error.fix, memory, True)
    lines = str(error).strip().splitlines() or [""]
    return Trouble(f"{type(error).__name__}: {lines[0][:300]}", None, None, memory, False)


class _Mate:
    """What a process that shares a run's work has in memory."""

    def __init__(self, begin: Begin, rank: int) -> None:
        from mtlab.models import set_threads

        set_threads(begin.settings)
        self._begin = begin
        self._rank = rank
        self._held: tuple[Which, Loaded] | None = None
        # While the job prepares its data there is time for what takes seconds.
        import torch

        import mtlab.decoding
        import mtlab.training  # noqa: F401

        if torch.cuda.is_available():
            torch.cuda.set_device(rank)

    def do(self, order: Train | Translate) -> Translated | None:
        if isinstance(order, Train):
            self._train(order)
            return None
        from mtlab.decoding import answer_parcel

        answers = answer_parcel(self._model(order.which), order.parcel, lambda: None)
        return Translated(order.number, tuple(answers))

    def _model(self, which: Which) -> Loaded:
        from mtlab.models import load, load_run
        from mtlab.presets import resolve_base

        if self._held is None or self._held[0] != which:
            self._held = None
            folder, spec, settings = self._begin.folder, self._begin.spec, self._begin.settings
            loaded = (
                load(
                    resolve_base(spec.base, settings), precision=spec.training.precision,
                    revision=spec.revision, settings=settings,
                )
                if which == "base"
                else load_run(folder, spec, settings)
            )  # fmt: skip
            self._held = (which, loaded)
        return self._held[1]

    def _train(self, order: Train) -> None:
        from mtlab.training import Place, fine_tune

        self._held = None
        folder, spec = self._begin.folder, self._begin.spec
        fine_tune(
            load_to_train(spec, self._begin.settings),
            order.examples,
            spec.training,
            spec.seed,
            folder,
            emit=lambda *_, **__: None,
            place=Place(self._rank, spec.devices, spec.strategy),
        )
        empty_cache()


def load_to_train(spec: RunSpec, settings: Settings) -> Loaded:
    """The base model as training by several processes begins with it; in shares it is laid onto the
    devices only when it is divided, for it may not fit one.
    """
    from mtlab.models import device_name, load, resolve_precision, weights_precision
    from mtlab.presets import resolve_base

    device = device_name()
    precision = resolve_precision(weights_precision(spec), device)
    loaded = load(
        resolve_base(spec.base, settings), precision=precision, revision=spec.revision,
        device="cpu" if spec.strategy == "fsdp" else device, settings=settings,
    )  # fmt: skip
    return replace(loaded, device=device)


def empty_cache() -> None:
    """Give back what torch keeps of a GPU's memory for tensors that are gone."""
    import gc

    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


if __name__ == "__main__":
    # By its own name, under which the job knows what is sent to and fro.
    from mtlab.runs import mate

    code = mate.main(sys.argv[1:])
    with contextlib.suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)

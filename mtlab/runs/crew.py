"""The processes that share a run's work with its job, one for each further device.

The job is the first of them: it alone reports, hears a stop, and writes. The others are its
children, in its process group. When one of them dies, nothing can go on as it was: the rest is
ended, and the run is interrupted as if the job itself had been killed. With a checkpoint, or with
something translated, it then goes on from there by itself, as often as any interrupted run does.
"""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from multiprocessing import Pipe
from pathlib import Path
from typing import TYPE_CHECKING

from mtlab.errors import MtlabError, NotAvailable, RunFailed
from mtlab.runs.mate import Begin, Train, Translate, Translated, Trouble, Which
from mtlab.settings import Settings
from mtlab.spec import RunSpec

if TYPE_CHECKING:
    from mtlab.decoding import Hands, Hypothesis, Parcel
    from mtlab.prompts import Example

_SETTLING = 0.5
"""Seconds in which those that fall with one that died are heard, before one is named as the cause.
"""
_HEARING = 5.0
"""Seconds a failure of the job's own waits to hear whether another process was its cause."""
_STUCK = 15.0
"""Seconds the job is given to notice by itself. On GPUs it may wait for the dead for ever."""


class MateLost(RunFailed):
    """A process that shared the work was killed: the run was interrupted."""


class Crew:
    """The processes with which a job shares a run's work.

    Args:
        folder: the run's.
        spec: complete; its `devices` says how many they are, the job among them.
        settings: the lab's, with the threads of one process.
        on_stuck: told of a loss that the job has not noticed in time, from another thread; ends it.
    """

    def __init__(
        self,
        folder: Path,
        spec: RunSpec,
        settings: Settings,
        on_stuck: Callable[[MtlabError], None],
    ) -> None:
        self._on_stuck = on_stuck
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._lost = threading.Event()
        self._loss: MtlabError | None = None
        self._round = 0
        self._todo: deque[tuple[int, Parcel]] = deque()
        self._which: Which = "base"
        self._done: queue.Queue[Translated] = queue.Queue()
        begin = Begin(folder, spec, settings)
        self._mates = [_Mate(rank, begin) for rank in range(1, spec.devices)]
        for mate in self._mates:
            name = f"mate-{mate.rank}"
            threading.Thread(target=self._hear, args=(mate,), name=name, daemon=True).start()

    def train(self, examples: Sequence[Example]) -> None:
        """Have all of them train; the job does so at the same time."""
        with self.working():
            for mate in self._mates:
                mate.send(Train(tuple(examples)))

    def hands(self, which: Which) -> Hands:
        """All of them as those who translate, the job among them."""

        def spread(
            parcels: Sequence[Parcel],
            own: Callable[[int], list[Hypothesis]],
            poll: Callable[[], None],
        ) -> Iterator[tuple[int, list[Hypothesis]]]:
            with self.working():
                yield from self._spread(which, parcels, own, poll)

        return spread

    @contextlib.contextmanager
    def working(self) -> Iterator[None]:
        """What fails in here because another process died is told as that.

        Raises:
            MateLost: one of them was killed.
            MtlabError: what ended one of them.
        """
        try:
            yield
        except MtlabError:
            raise
        except Exception as error:
            if self._lost.wait(_HEARING) and self._loss is not None:
                raise self._loss from error
            raise

    def close(self) -> None:
        """End them. Nothing of what they hold is needed any more."""
        self._closed.set()
        for mate in self._mates:
            mate.end()

    def _spread(
        self,
        which: Which,
        parcels: Sequence[Parcel],
        own: Callable[[int], list[Hypothesis]],
        poll: Callable[[], None],
    ) -> Iterator[tuple[int, list[Hypothesis]]]:
        self._todo.clear()
        self._round += 1
        self._which = which
        self._todo.extend(enumerate(parcels))
        left = len(parcels)
        for mate in self._mates:
            self._give(mate)
        while left:
            try:
                found = self._done.get(timeout=0 if self._todo else 0.2)
            except queue.Empty:
                self._check()
                poll()
                with contextlib.suppress(IndexError):
                    number, _ = self._todo.popleft()
                    yield number, own(number)
                    left -= 1
                continue
            if found.number[0] == self._round:
                yield found.number[1], list(found.answers)
                left -= 1

    def _give(self, mate: _Mate) -> None:
        """Have a process that is free translate the next batch, if there is one."""
        with contextlib.suppress(IndexError, OSError):  # one that is gone is noticed by its pipe
            number, parcel = self._todo.popleft()
            mate.send(Translate((self._round, number), self._which, parcel))

    def _check(self) -> None:
        if self._lost.is_set() and self._loss is not None:
            raise self._loss

    def _hear(self, mate: _Mate) -> None:
        """Take what a process says until it is gone."""
        with contextlib.suppress(EOFError, OSError):
            while True:
                word = mate.pipe.recv()
                if isinstance(word, Trouble):
                    mate.trouble = word
                elif isinstance(word, Translated):
                    self._done.put(word)
                    self._give(mate)
        mate.process.wait()
        if not self._closed.wait(_SETTLING):
            self._lose()

    def _lose(self) -> None:
        with self._lock:
            if self._lost.is_set():
                return
            gone = [mate for mate in self._mates if mate.process.poll() is not None]
            self._loss = min(gone, key=_Mate.blame).loss(len(self._mates) + 1)
            self._lost.set()
        for mate in self._mates:
            mate.end()
        if not self._closed.wait(_STUCK):
            self._on_stuck(self._loss)


class _Mate:
    """One of the other processes, as the job sees it."""

    def __init__(self, rank: int, begin: Begin) -> None:
        self.rank = rank
        self.trouble: Trouble | None = None
        self._sending = threading.Lock()
        self.pipe, theirs = Pipe()
        threads = str(begin.settings.threads or 1)
        command = [sys.executable, "-m", "mtlab.runs.mate", str(theirs.fileno()), str(rank)]
        try:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env={**os.environ, "OMP_NUM_THREADS": threads},
            )
        finally:
            theirs.close()
        self.send(begin)

    def send(self, word: Begin | Train | Translate) -> None:
        with self._sending:  # the job's thread and the one that hears may both have something
            self.pipe.send(word)

    def end(self) -> None:
        with contextlib.suppress(OSError):
            self.process.kill()

    def blame(self) -> tuple[int, int]:
        """A key that is least for the process whose end explains the others'."""
        code = self.process.returncode
        if self.trouble is not None and (self.trouble.is_told or self.trouble.of_memory):
            return 0, self.rank
        return (1 if code is not None and code < 0 else 2), self.rank

    def loss(self, count: int) -> MtlabError:
        """What a person is told of its end."""
        name = f"process {self.rank + 1} of the {count} that shared the work"
        trouble, code = self.trouble, self.process.returncode
        if trouble is not None and trouble.of_memory:
            return NotAvailable(
                trouble.what if trouble.is_told else f"memory ran out in {name}",
                why=trouble.why if trouble.is_told else trouble.what,
                fix=trouble.fix or "lower the batch size, or use strategy fsdp on more devices",
            )
        if trouble is not None and trouble.is_told:
            return RunFailed(trouble.what, why=trouble.why, fix=trouble.fix)
        if trouble is not None:
            return RunFailed(f"{name} failed", why=trouble.what, fix="see job.log, then resume it")
        if code == -signal.SIGKILL:
            why = "it was killed, most often because the machine's memory ran out"
        elif code < 0:
            why = f"it was ended by {signal.Signals(-code).name}"
        else:
            why = f"it exited with {code}"
        return MateLost(f"{name} ended", why=why, fix="resume it")


def share_of_threads(settings: Settings, spec: RunSpec) -> Settings:
    """The settings of one of the processes that share a run's work, the CPU's threads divided."""
    if spec.devices == 1:
        return settings
    there = settings.threads or os.cpu_count() or 1
    return replace(settings, threads=max(1, there // spec.devices))

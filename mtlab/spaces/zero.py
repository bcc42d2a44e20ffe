"""ZeroGPU: a GPU for one call at a time, lent by the visitor in whose name the call is made.

A run outlasts a call, so it is done in slices: each call runs `mtlab.runs.lent` in a process of its
own, which stops the run in time and leaves it to the next. The package `spaces` is there on such a
Space alone. It makes torch believe in a GPU that only its calls have, so the app itself computes on
the CPU.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from functools import cache

from mtlab.errors import InputError, NotAvailable
from mtlab.runs.devices import LENT
from mtlab.runs.status import Status
from mtlab.runs.store import RunStore
from mtlab.settings import Settings

SLICE = (sys.executable, "-m", "mtlab.runs.lent")
"""What does a slice, the run and the seconds behind it."""

_TAG = re.compile(r"<[^>]+>")
_GIVING = threading.Lock()
_MOST_IN_VAIN = 3


def slices(store: RunStore, settings: Settings, run: str) -> Iterator[Status]:
    """Do a run slice by slice until it is over, or until no GPU is lent any more.

    Yields:
        The run's status after each slice.

    Raises:
        InputError: the run does not wait for a lent GPU.
        NotAvailable: no GPU is lent, or another run has it; what the run learnt is kept.
    """
    if not settings.lent_seconds:
        raise NotAvailable("a GPU that is lent", why="this is no ZeroGPU Space", fix="run it here")
    status = store.status(run)
    if status.wants != LENT or status.state != "queued":
        raise InputError(
            f"run {run} does not wait for a GPU that is lent", field="run", fix="see its state"
        )
    in_vain = 0
    while status.state == "queued":
        _lend(settings, run)
        status, was = store.status(run), status
        in_vain = 0 if _got_on(was, status) else in_vain + 1
        yield status
        if in_vain == _MOST_IN_VAIN:
            raise NotAvailable(
                "the run does not get on",
                why=f"in {settings.lent_seconds} seconds it does not even get to its next step",
                fix="raise MTLAB_ZERO_SECONDS, or choose a smaller base model",
            )


def _got_on(before: Status, after: Status) -> bool:
    now, then = ((one.phase, one.progress) for one in (after, before))
    return after.state != "queued" or now != then


def prepare(settings: Settings) -> None:
    """Announce what needs a GPU, which such a Space asks of an app before it is served."""
    if settings.lent_seconds:
        _lender(settings.lent_seconds, settings.lent_size)


def slice_of(run: str, settings: Settings) -> str:
    """Do one slice; called where there is a GPU.

    Returns:
        Why it could not be done; empty when it was.
    """
    done = subprocess.run(
        [*SLICE, run, "--seconds", str(settings.lent_seconds)],
        env={**os.environ, "MTLAB_HOME": str(settings.home)},
        capture_output=True,
        text=True,
        check=False,
    )
    return "" if done.returncode == 0 else (done.stderr.strip().splitlines() or ["no reason"])[-1]


def _lend(settings: Settings, run: str) -> None:
    if not _GIVING.acquire(blocking=False):
        raise NotAvailable(
            "the GPU", why="it is lent to another run just now", fix="try again in two minutes"
        )
    try:
        problem = _lender(settings.lent_seconds, settings.lent_size)(run, settings)
    except Exception as error:
        why = _TAG.sub("", str(getattr(error, "message", error))).strip()
        raise NotAvailable(
            "no GPU was lent", why=why.rstrip("."), fix="go on later; what it learnt is kept"
        ) from error
    finally:
        _GIVING.release()
    if problem:
        raise NotAvailable("the run did not get on", why=problem, fix="try again in a minute")


@cache
def _lender(seconds: int, size: str) -> Callable[[str, Settings], str]:
    try:
        import spaces
    except ImportError:
        raise NotAvailable(
            "a GPU that is lent",
            why="the package spaces is missing",
            fix="a ZeroGPU Space has it: see docs/spaces.md",
        ) from None
    # The call takes a moment longer than what it is called for.
    lend = spaces.GPU(duration=seconds + 10, size=size)
    lent: Callable[[str, Settings], str] = lend(slice_of)
    return lent

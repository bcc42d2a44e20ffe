"""A run on a device that is lent for a while: `python -m mtlab.runs.lent RUN --seconds N`.

On Hugging Face's ZeroGPU no process has a GPU of its own: a call gets one, within the quota of the
visitor who makes it. What is called is this program. It takes the run from the queue, starts its
job, asks it to end before the time is over, and puts it back into the queue. The job saves what it
has as for any other interruption, and the next slice goes on from there.

Its exit status is 0, and the last line that it prints is the state the run is in then.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence

from mtlab.errors import MtlabError, NotAvailable
from mtlab.runs import supervisor
from mtlab.runs.attending import attend
from mtlab.runs.devices import LENT
from mtlab.runs.files import writing
from mtlab.runs.identity import new_token, this_host
from mtlab.runs.needs import unmet
from mtlab.runs.settling import mark_attempt
from mtlab.runs.status import Status
from mtlab.runs.store import RunStore
from mtlab.settings import Settings

SAVING_SECONDS = 15.0
"""Of the time lent, what is kept for saving."""

_PAUSE = 0.05


def main(arguments: Sequence[str] | None = None) -> int:
    """Do a slice of a run; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m mtlab.runs.lent")
    parser.add_argument("run")
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--saving", type=float, default=SAVING_SECONDS)
    args = parser.parse_args(arguments)
    settings = Settings.from_environment()
    store = RunStore(settings)
    began = time.monotonic()
    try:
        process = _start(store, settings, args.run)
        _until(process, began + max(1.0, args.seconds - args.saving))
        if _has_begun(store, args.run):  # before, it would not hear that it is to save
            _ask(process, began + args.seconds)
        status = _settle(store, args.run, _exit_code(process))
    except MtlabError as error:
        print(error, file=sys.stderr)
        return 1
    print(status.state)
    return 0


def _start(store: RunStore, settings: Settings, run: str) -> subprocess.Popen[bytes]:
    token = new_token()

    def is_ready(one: str) -> bool:
        return one == run and not unmet(store, store.status(run))

    if store.database.claim((LENT,), this_host(), token, is_ready) is None:
        raise NotAvailable(
            "the run cannot be given the device",
            why="another holds it, or it waits for something else",
            fix="try again in a minute",
        )
    events = store.log(run).read()
    status = store.status(run).launched(token, this_host(), LENT, events[-1].seq if events else 0)
    with writing(settings.home):
        store.write_status(run, status)
        mark_attempt(store.folder(run), status.attempts)
        return supervisor.launch(store.folder(run), token, LENT, settings)


def _until(process: subprocess.Popen[bytes], deadline: float) -> None:
    while process.poll() is None and time.monotonic() < deadline:
        time.sleep(_PAUSE)


def _has_begun(store: RunStore, run: str) -> bool:
    status = store.written_status(run)
    return status is None or status.state != "running" or status.pid is not None


def _ask(process: subprocess.Popen[bytes], deadline: float) -> None:
    """Have the job save and end by itself."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
        _until(process, deadline)


def _exit_code(process: subprocess.Popen[bytes]) -> int:
    """How the job has ended; one that goes on when its time is over is ended."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    return process.wait()


def _settle(store: RunStore, run: str, exit_code: int) -> Status:
    """Write down how the slice ended, give the device back, and queue what is not done."""
    if _has_begun(store, run):
        status = attend(store, run, exit_code=exit_code)
    else:
        status = store.status(run).queued_again()
        store.write_status(run, status)
    for lease in store.database.leases():
        if lease.name == LENT and lease.run == run:
            store.database.drop(lease.name, lease.token)
    if status is None:
        raise NotAvailable("the run is not there any more", fix="launch another")
    store.index.mend(run)
    store.go_on(run)
    return store.status(run)


if __name__ == "__main__":
    sys.exit(main())

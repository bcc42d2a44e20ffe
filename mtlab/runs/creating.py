"""Writing runs down: each folder appears whole, and several runs all or none."""

from __future__ import annotations

import os
import secrets
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mtlab.errors import NotAvailable
from mtlab.runs.database import Database, enter
from mtlab.runs.files import write_json, writing
from mtlab.runs.lending import lent_to
from mtlab.runs.placement import RAY, Placement, write_placement
from mtlab.runs.status import MOST_REQUEUES, Status
from mtlab.settings import Settings
from mtlab.spec import RunSpec

_HALF_MADE_SECONDS = 3600.0


@dataclass(frozen=True)
class NewRun:
    """A run that is about to be written down.

    Attributes:
        id: as `new_ids` gives it.
        spec: complete, as `mtlab.defaults.complete` leaves it.
        needs: ids of the runs that must have finished before it starts.
        priority: higher ones start first; among equals the older.
        wants: the device it is to run on; None for any.
        owner: who launches it, as `Status.owner`.
        placement: where on a cluster; None for this machine.
    """

    id: str
    spec: RunSpec
    needs: tuple[str, ...] = ()
    priority: int = 0
    wants: str | None = None
    owner: str | None = None
    placement: Placement | None = None


def new_ids(settings: Settings, count: int = 1) -> list[str]:
    """Ids that no run has, rising: runs that are queued together are listed in their order."""
    second = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    while True:
        first = secrets.randbelow(max(1, 0x10000 - count))
        ids = [f"{second}-{first + number:04x}" for number in range(count)]
        if not any((settings.runs / one).exists() for one in ids):
            return ids


def write_down(runs: Sequence[NewRun], settings: Settings, database: Database) -> None:
    """Make the folders of runs and queue them in their order: all of them or none.

    Raises:
        NotAvailable: the queue is full, or the home cannot be written or its disk is full; nothing
            is left behind.
    """
    waiting = len(database.queue())
    if runs and waiting + len(runs) > settings.max_queued:
        more = "one more" if len(runs) == 1 else f"{len(runs):,} more"
        raise NotAvailable(
            f"the queue is full: {waiting:,} runs wait, and {more} would be over the "
            f"{settings.max_queued:,} that may",
            fix="wait until some have started, cancel some, or raise MTLAB_MAX_QUEUED",
        )
    now, places = time.time(), database.back(len(runs))
    bases = {run.id: run.spec.base for run in runs}

    def wanted(run: NewRun) -> str | None:
        if run.placement is not None:
            return RAY
        return run.wants or lent_to(run.spec.base, settings, bases)

    statuses = [
        Status(
            run.id, created=now, needs=run.needs, queued=place, priority=run.priority,
            devices=run.spec.devices, wants=wanted(run), requeues=MOST_REQUEUES,
            owner=run.owner,
        )
        for run, place in zip(runs, places, strict=True)
    ]  # fmt: skip
    aside = {run.id: settings.runs / f".new-{run.id}" for run in runs}
    try:
        with writing(settings.home):
            for run, status in zip(runs, statuses, strict=True):
                _write_folder(aside[run.id], run, status)
            # Nobody takes one of them from the queue before all of them are there.
            with database.transaction() as connection:
                for status in statuses:
                    os.rename(aside[status.id], settings.runs / status.id)
                    enter(connection, status)
    except BaseException:
        for run in runs:
            shutil.rmtree(aside[run.id], ignore_errors=True)
            shutil.rmtree(settings.runs / run.id, ignore_errors=True)
        raise


def remove_leftovers(settings: Settings) -> None:
    """Remove what a process that was killed left half made, or half removed."""
    for path in settings.runs.glob(".gone-*"):
        shutil.rmtree(path, ignore_errors=True)
    for path in settings.runs.glob(".new-*"):
        try:
            age = abs(time.time() - path.stat().st_mtime)
        except OSError:
            continue
        if age > _HALF_MADE_SECONDS:  # a younger one may be somebody's at work
            shutil.rmtree(path, ignore_errors=True)


def _write_folder(folder: Path, run: NewRun, status: Status) -> None:
    folder.mkdir()
    write_json(folder / "spec.json", run.spec.to_json())
    write_json(folder / "status.json", status.to_json())
    if run.placement is not None:
        write_placement(folder, run.placement)
    write_json(folder / "provenance.json", _first_provenance(run.spec, status.created))


def _first_provenance(spec: RunSpec, now: float) -> dict[str, Any]:
    import mtlab
    from mtlab.commands import command_for

    return {
        "mtlab": mtlab.__version__,
        "created": now,
        "command": command_for(spec),
        "seed": spec.seed,
        "python": sys.version.split()[0],
        "platform": sys.platform,
    }

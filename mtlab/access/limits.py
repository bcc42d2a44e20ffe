"""How much one may ask for over the network; `mtlab.settings.Door` has the numbers."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from mtlab.access.people import Person
from mtlab.errors import InputError, NotAvailable
from mtlab.presets import resolve_base
from mtlab.runs.store import RunStore
from mtlab.settings import Settings
from mtlab.spec import RunSpec


def check_size(spec: RunSpec, settings: Settings) -> None:
    """Refuse a spec that trains on too many pairs, or too large a model.

    A model is judged by what is known of it without asking the hub; one of which nothing is known
    is judged when the run is checked, by whether it fits.

    Raises:
        InputError: it is too large; says the limit.
    """
    door = settings.door
    if door.max_pairs and spec.size > door.max_pairs:
        raise InputError(
            f"{spec.size:,} pairs are more than this lab trains on",
            field="size",
            fix=f"give {door.max_pairs:,} at most",
        )
    if door.max_model_millions:
        millions = _parameters(spec, settings) / 1e6
        if millions > door.max_model_millions:
            raise InputError(
                f"a model of {millions:,.0f} million parameters is larger than this lab trains",
                field="base",
                fix=f"choose one of {door.max_model_millions:,} million at most",
            )


def _parameters(spec: RunSpec, settings: Settings) -> int:
    from mtlab.models.facts import look

    if "{" in spec.base or ":" in spec.base:  # no model to train, or what a run made of one
        return 0
    base = resolve_base(spec.base, settings)
    if base.parameters is not None:
        return base.parameters
    return look(base, settings, spec.revision).parameters


def check_queue(person: Person, more: int, store: RunStore) -> None:
    """Refuse more runs than one person may have waiting or running.

    Raises:
        NotAvailable: it would be too many.
    """
    most = store.settings.door.max_queued_each
    if not most or person.is_admin:
        return
    states = store.database.states()
    live = [run for run, state in states.items() if state in ("queued", "running")]
    mine = 0
    for run in live:
        status = store.written_status(run)
        mine += status is not None and status.owner == person.name
    if mine + more > most:
        raise NotAvailable(
            f"{mine:,} of your runs wait or run, and {more:,} more would be over the {most:,} that "
            "one person may have",
            fix="wait until some have finished, or cancel some",
        )


def check_disk(settings: Settings) -> None:
    """Refuse to fill the disk.

    Raises:
        NotAvailable: it has too little left.
    """
    least = settings.door.min_free_mb
    try:
        free = shutil.disk_usage(settings.home).free / 1e6
    except OSError:
        return  # whoever writes will meet it, and say it
    if free < least:
        raise NotAvailable(
            f"the lab's disk has {free:,.0f} MB left, and {least:,} MB are kept free",
            fix="delete runs that are no longer needed, or lower MTLAB_MIN_FREE_MB",
        )


def check_kept(settings: Settings, paths: Sequence[Path]) -> None:
    """Refuse to keep files beside those that were brought already.

    Raises:
        NotAvailable: all together would take too much.
    """
    most = settings.door.max_kept_mb
    if not most:
        return
    kept = [*settings.uploads.rglob("*"), *paths]
    size = sum(path.stat().st_size for path in kept if path.is_file()) / 1e6
    if size > most:
        raise NotAvailable(
            f"the files that were brought to this lab would take {size:,.0f} MB, and {most:,} MB "
            "are allowed",
            fix="name a corpus of the hub instead, or ask who runs this lab for room",
        )

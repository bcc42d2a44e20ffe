"""Sharing a run, in order: check it and its name, pack it, tell of it, push it or keep it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from mtlab.runs.status import Status
from mtlab.runs.store import RunRecord
from mtlab.settings import Settings
from mtlab.sharing.chosen import check_mergeable, check_shareable
from mtlab.sharing.packing import Package, Wanted, pack, packed, weights_of
from mtlab.sharing.pushing import Visibility, check_name, check_place, push

HUB = "hub"
"""In place of a folder: the hub."""


@dataclass(frozen=True)
class Made:
    """What came of it.

    Attributes:
        package: what was pushed, written or only shown; its folder is gone but where one was named.
        address: of the repository; None where nothing was pushed.
    """

    package: Package
    address: str | None = None


def share(
    record: RunRecord,
    status: Status,
    name: str,
    settings: Settings,
    *,
    weights: Wanted,
    visibility: Visibility,
    to: str | Path | None,
    on_packed: Callable[[Package], None] | None,
) -> Made:
    """Check a run and a name, pack the run, tell of it, and push it or keep the folder.

    All is checked before anything is packed, and packed before anything is pushed.

    Args:
        record: the run.
        status: how it stands.
        name: OWNER/NAME.
        settings: the lab's.
        weights: what the run saved itself, or its adapter merged into the base.
        visibility: of a repository that is made.
        to: the word `hub`; a folder that is written instead, which a `Path` may call so too; or
            None, and nothing is left.
        on_packed: told of the package before it is pushed.

    Raises:
        InputError: the run, the name, the folder or the token is no good.
        NotAvailable: the hub cannot be reached, or this machine cannot write or merge.
    """
    if weights == "merged":
        check_mergeable(record, status)
    else:
        check_shareable(record, status)
    check_name(name)
    kind = weights_of(record, weights, settings)
    place = check_place(name, record.id, visibility, settings) if to == HUB else None
    held: AbstractContextManager[Package]
    if to is None or place is not None:
        held = packed(record, name, kind, settings)
    else:
        held = nullcontext(pack(record, name, kind, settings, Path(to)))
    with held as package:
        if on_packed is not None:
            on_packed(package)
        return Made(package, push(package, place) if place is not None else None)

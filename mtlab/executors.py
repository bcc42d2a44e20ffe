"""Where the runs of a sweep are done: on this machine, or on a cluster that Ray holds together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mtlab.errors import InputError
from mtlab.runs.placement import RAY
from mtlab.settings import Settings

if TYPE_CHECKING:
    from mtlab.cluster.probe import Cluster

LOCAL = "local"
EXECUTORS = (LOCAL, RAY)


def cluster_for(
    executor: str, address: str | None, gpus: int | None, settings: Settings
) -> Cluster | None:
    """The cluster that an executor stands for, asked and found fit; None for this machine.

    Raises:
        InputError: there is no such executor, it takes no address, or as
            `mtlab.cluster.probe.ask`.
    """
    if executor not in EXECUTORS:
        fix = f"use {' or '.join(EXECUTORS)}"
        raise InputError(f"there is no executor '{executor}'", field="executor", fix=fix)
    if executor == LOCAL:
        for field, value in (("address", address), ("gpus", gpus)):
            if value is not None:
                fix = "add --executor ray, or leave it out"
                raise InputError("only a cluster has one to choose", field=field, fix=fix)
        return None
    if gpus is not None and gpus < 0:
        raise InputError(f"'{gpus}' cannot be used", field="gpus", fix="give 0 or more")
    from mtlab.cluster.probe import ask

    return ask(address, settings, gpus)

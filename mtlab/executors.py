"""Where the runs of a sweep are done: on this machine, or on a cluster that Ray holds together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mtlab.errors import InputError
from mtlab.runs.placement import RAY, Placement
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


def check_devices(placement: Placement, before: int, devices: int, settings: Settings) -> None:
    """Ask a cluster whether a run that lives there can share its work among other devices.

    Args:
        placement: the place that it has had.
        before: the devices that the place was made for.
        devices: the devices from now on.
        settings: the home's.

    Raises:
        InputError: no node has so many, nobody answers, or a node cannot do runs of this mtlab.
    """
    if devices == before:
        return
    from mtlab.cluster.facts import counted
    from mtlab.cluster.probe import fit_nodes

    address, nodes = fit_nodes(placement.address, settings)

    def fits(count: int) -> bool:
        place = placement.resized(before, count)
        return any(node.holds(place.gpus, place.cpus) for node in nodes)

    if fits(devices):
        return
    place = placement.resized(before, devices)
    needed = counted(place.gpus, "GPU") if place.gpus else counted(place.cpus, "CPU")
    most = next((count for count in range(devices - 1, 0, -1) if fits(count)), 0)
    raise InputError(
        f"no node of the cluster at {address} has {needed} for the run",
        field="devices",
        fix=f"give {most} or fewer" if most > 1 else "give 1" if most else "add a larger node",
    )

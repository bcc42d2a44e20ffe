"""Where a run is to be done when not on this machine: `placement.json` in its folder.

A run without one is for the devices of this machine. One with it is left alone by the supervisor:
whoever watches its cluster places it there, follows it and writes down how it ended.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from mtlab.runs.files import read_json, write_json

RAY = "ray"
"""What the status of such a run wants instead of a device of this machine."""

FILE = "placement.json"


@dataclass(frozen=True)
class Placement:
    """A place on a cluster.

    Attributes:
        address: the cluster's, as Ray takes it.
        gpus: how many GPUs the run is given.
        cpus: how many CPUs it is given, which is also the threads that it uses.
    """

    address: str
    gpus: int = 0
    cpus: int = 1

    def for_devices(self, count: int) -> Placement:
        """The same for a run that shares its work among so many devices."""
        if self.gpus:
            return replace(self, gpus=max(self.gpus, count))
        return replace(self, cpus=self.cpus * count)

    def resized(self, old: int, new: int) -> Placement:
        """The same for a run that has shared its work among so many devices, and now does among
        others.

        Args:
            old: the devices that this place was made for.
            new: the devices from now on.
        """
        if old == new:
            return self
        if self.gpus:
            return replace(self, gpus=max(new, 1))
        return replace(self, cpus=max(self.cpus // old, 1) * new)

    def to_json(self) -> dict[str, Any]:
        """`{executor, address, gpus, cpus}`."""
        return {"executor": RAY, **asdict(self)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Placement | None:
        """Read what `to_json` wrote; None where that cannot be read."""
        address, gpus, cpus = data.get("address"), data.get("gpus"), data.get("cpus")
        if not isinstance(address, str) or not isinstance(gpus, int) or not isinstance(cpus, int):
            return None
        return cls(address, gpus, cpus)


def placement_of(folder: Path) -> Placement | None:
    """Where the run in a folder is to be done; None for this machine."""
    return Placement.from_json(read_json(folder / FILE) or {})


def write_placement(folder: Path, placement: Placement | None) -> None:
    """Write down where the run in a folder is done.

    Raises:
        OSError: it cannot be written.
    """
    if placement is None:
        (folder / FILE).unlink(missing_ok=True)
    else:
        write_json(folder / FILE, placement.to_json())

"""What a machine has, as far as a run depends on it, and how two machines differ."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from mtlab.errors import InputError

PACKAGES = ("torch", "transformers", "peft", "accelerate", "sacrebleu", "sentencepiece", "pandas")
"""What a run imports and a node may lack."""


@dataclass(frozen=True)
class Facts:
    """A machine.

    Attributes:
        node: its name.
        python: the version, such as `3.11.9`.
        ray: the version; empty where it is not installed.
        mtlab: the version and a word for its source; empty where it is not installed.
        lacks: those of `PACKAGES` that are not installed.
        cpus: how many Ray may give.
        gpus: how many Ray may give.
    """

    node: str
    python: str
    ray: str
    mtlab: str
    lacks: tuple[str, ...] = ()
    cpus: int = 0
    gpus: int = 0

    def holds(self, gpus: int, cpus: int) -> bool:
        """Whether a run that is given so many fits on it when nothing else is there."""
        return self.gpus >= gpus and self.cpus >= cpus

    def to_json(self) -> dict[str, Any]:
        """Its attributes."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Facts:
        """Read what `to_json` wrote."""
        return cls(**{**data, "lacks": tuple(data.get("lacks", ()))})


def facts_here(node: str = "") -> Facts:
    """This machine, which has mtlab."""
    return Facts(
        node or platform.node(),
        platform.python_version(),
        _version("ray"),
        mtlab_here(),
        tuple(name for name in PACKAGES if find_spec(name) is None),
    )


@lru_cache(maxsize=1)
def mtlab_here() -> str:
    """The version of mtlab and a word for its source: one that was changed is another."""
    import mtlab

    root = Path(mtlab.__file__).parent
    content = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        content.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return f"{mtlab.__version__} ({content.hexdigest()[:8]})"


def refuse_other(node: Facts, here: Facts) -> None:
    """Refuse a node on which a run would not be what it is here.

    Raises:
        InputError: it lacks something, or has another Ray, Python or mtlab.
    """
    if not node.mtlab:
        raise InputError(
            f"mtlab is not installed on the node {node.node}",
            field="address",
            fix=f"install mtlab {here.mtlab} there",
        )
    for name, has, wanted in (
        ("Python", _minor(node.python), _minor(here.python)),
        ("Ray", node.ray, here.ray),
        ("mtlab", node.mtlab, here.mtlab),
    ):
        if has != wanted:
            raise InputError(
                f"the node {node.node} has {name} {has}, and this machine has {wanted}",
                field="address",
                fix=f"install {name} {wanted} there, or {has} here",
            )
    if node.lacks:
        raise InputError(
            f"the node {node.node} lacks {', '.join(node.lacks)}",
            field="address",
            fix="install mtlab's requirements.txt there",
        )


def refuse_too_small(nodes: Sequence[Facts], gpus: int, cpus: int) -> None:
    """Refuse a cluster of which no node can hold a run.

    Args:
        nodes: all of them.
        gpus: how many each run is given.
        cpus: how many each run is given.

    Raises:
        InputError: says what is asked for and what the largest node has.
    """
    most = max((node.gpus for node in nodes), default=0)
    if gpus and not most:
        raise InputError(
            f"{counted(gpus, 'GPU')} for each run cannot be had, and the cluster has none",
            field="gpus",
            fix="add a node with a GPU, or give --gpus 0 to run on CPUs",
        )
    if gpus > most:
        raise InputError(
            f"{counted(gpus, 'GPU')} for each run cannot be had, and its largest node has {most}",
            field="gpus",
            fix=f"give {most} or less",
        )
    if not any(node.holds(gpus, cpus) for node in nodes):
        largest = max((node.cpus for node in nodes if node.gpus >= gpus), default=0)
        raise InputError(
            f"{counted(cpus, 'CPU')} for each run cannot be had, and the largest "
            f"node has {largest}",
            field="MTLAB_THREADS",
            fix="set it lower, or add a larger node",
        )


def counted(number: int, thing: str) -> str:
    """Such as `1 GPU` and `2 GPUs`."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _minor(version: str) -> str:
    return ".".join(version.split(".")[:2])


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""

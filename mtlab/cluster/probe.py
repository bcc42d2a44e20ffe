"""Asking a cluster what its nodes have, before anything is placed there.

Ray waits long for a cluster that does not answer, and may end the process; so the asking is done
by a process of its own, `python -m mtlab.cluster.probe ADDRESS`, that is given only so long.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mtlab.cluster.address import checked_address, knock, nobody_answers
from mtlab.cluster.clusters import environment
from mtlab.cluster.facts import PACKAGES, Facts, counted, facts_here, refuse_other, refuse_too_small
from mtlab.errors import InputError, MtlabError
from mtlab.runs.placement import Placement
from mtlab.settings import Settings
from mtlab.spec import RunSpec

SECONDS = 90.0
"""How long a cluster may take to tell of all its nodes; nodes start a process for it."""

_MISSED_SECONDS = 20.0
"""How long a node that is gone may still be listed."""

_NAMESPACE = "mtlab-probe"


@dataclass(frozen=True)
class Cluster:
    """A cluster that can do runs, and how one is placed there.

    Attributes:
        nodes: its machines.
        placement: for each run.
    """

    nodes: tuple[Facts, ...]
    placement: Placement

    def placement_for(self, spec: RunSpec) -> Placement:
        """Where a run goes, with as many devices as it shares its work among.

        Raises:
            InputError: no node has so many.
        """
        placement = self.placement.for_devices(spec.devices)
        if placement != self.placement:
            refuse_too_small(self.nodes, placement.gpus, placement.cpus)
        return placement

    @property
    def sentence(self) -> str:
        """What it is, and what a run is given, for people."""
        cpus = sum(node.cpus for node in self.nodes)
        gpus = sum(node.gpus for node in self.nodes)
        place = self.placement
        return (
            f"on {counted(len(self.nodes), 'node')} at {place.address} "
            f"({counted(cpus, 'CPU')}, {counted(gpus, 'GPU')}); each run is given "
            f"{counted(place.cpus, 'CPU')} and {counted(place.gpus, 'GPU')}"
        )


def ask(address: str | None, settings: Settings, gpus: int | None = None) -> Cluster:
    """A cluster that was asked and found fit.

    Args:
        address: as `checked_address` takes it.
        settings: how many threads a run may use.
        gpus: how many GPUs each run is given; one where the cluster has any, when not given.

    Raises:
        InputError: the address is none, Ray is not installed here, nobody answers, a node lacks
            something or has other versions, or no node is large enough. Nothing was placed.
    """
    found, nodes = fit_nodes(address, settings)
    if gpus is None:
        gpus = 1 if any(node.gpus for node in nodes) else 0
    cpus = settings.threads or 1
    refuse_too_small(nodes, gpus, cpus)
    return Cluster(nodes, Placement(found, gpus, cpus))


def fit_nodes(address: str | None, settings: Settings) -> tuple[str, tuple[Facts, ...]]:
    """A cluster's address as it is ever after, and its nodes, each of which can do a run.

    Raises:
        InputError: as `ask`, but for how large they are.
    """
    address = checked_address(address)
    knock(address)
    told = _told(address, settings)
    nodes = tuple(Facts.from_json(node) for node in told["nodes"])
    here = facts_here()
    for node in nodes:
        refuse_other(node, here)
    return str(told["address"]), nodes


def _told(address: str, settings: Settings) -> dict[str, Any]:
    command = [sys.executable, "-m", "mtlab.cluster.probe", address]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            timeout=SECONDS,
            env=environment(os.environ, settings),
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except subprocess.TimeoutExpired:
        why = f"no answer within {SECONDS:.0f} s"
        raise nobody_answers(address, why) from None
    lines = done.stdout.decode(errors="replace").strip().splitlines()
    try:
        told: dict[str, Any] = json.loads(lines[-1])
    except (IndexError, ValueError):
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise nobody_answers(address, said[-1][:200] if said else "Ray ended") from None
    if "what" in told:
        raise InputError(told["what"], field=told["field"], why=told["why"], fix=told["fix"])
    return told


def nodes_of(packages: Sequence[str]) -> list[dict[str, Any]]:
    """What every living node of the connected cluster has, a task on each.

    One that has just died is said to live for some seconds; then the rest is asked again.
    """
    import ray

    deadline = time.monotonic() + _MISSED_SECONDS
    while True:
        try:
            return _told_by_nodes(packages)
        except ray.exceptions.RayError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)


def _told_by_nodes(packages: Sequence[str]) -> list[dict[str, Any]]:
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    nodes = [node for node in ray.nodes() if node["Alive"]]
    # Made here, so that it travels as it is: a node may lack mtlab, and would not find it there.
    look = ray.remote(num_cpus=0, max_retries=0)(_looker())
    answers = [
        look.options(
            scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
        ).remote(list(packages))
        for node in nodes
    ]
    found = []
    for node, answer in zip(nodes, answers, strict=True):
        facts: Mapping[str, Any] = ray.get(answer, timeout=SECONDS)
        has = node["Resources"]
        size = {"cpus": int(has.get("CPU", 0)), "gpus": int(has.get("GPU", 0))}
        found.append({**facts, **size})
    return [one for one in found if one["cpus"]]


def _looker() -> Any:
    def look(packages: list[str]) -> dict[str, Any]:
        import platform
        from importlib.util import find_spec

        import ray

        has = ""
        if find_spec("mtlab") is not None:
            try:
                from mtlab.cluster.facts import mtlab_here

                has = mtlab_here()
            except ImportError:
                has = "of before clusters"
        return {
            "node": platform.node(),
            "python": platform.python_version(),
            "ray": ray.__version__,
            "mtlab": has,
            "lacks": [name for name in packages if find_spec(name) is None],
        }

    return look


def main(arguments: Sequence[str]) -> int:
    """Print `{address, nodes}`, or what is wrong, as one line of JSON."""
    from mtlab.cluster.connecting import connect, disconnect

    [address] = arguments
    try:
        connect(address, _NAMESPACE)
        import ray

        if address == "auto":  # found out once, so that it is the same cluster ever after
            address = ray.get_runtime_context().gcs_address
        print(json.dumps({"address": address, "nodes": nodes_of(PACKAGES)}), flush=True)
        return 0
    except MtlabError as error:
        field = getattr(error, "field", None)
        print(json.dumps({**error.to_json(), "field": field}), flush=True)
        return 3
    finally:
        disconnect()


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(code)

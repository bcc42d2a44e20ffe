"""Remote jobs through Ray: a detached, named actor each, so that any later process finds it.

The actor of a run has its GPUs and CPUs as long as it lives. When the run has ended and is not
fetched soon, the actor leaves its files to another on the same node that has neither, and ends.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Mapping
from typing import Any

import ray
from ray.exceptions import (
    ActorUnavailableError,
    GetTimeoutError,
    RayActorError,
    RayError,
    RayTaskError,
)
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from mtlab.cluster.far import Lost, Refused, Silent
from mtlab.cluster.job_home import KeptJob
from mtlab.cluster.remote_job import RemoteJob
from mtlab.errors import MtlabError
from mtlab.runs.placement import Placement

OVER_SECONDS = 0.5
FETCH_SECONDS = 4.0
"""What a run has made is mostly fetched within so long: then no other actor has to be started."""

_LONGEST = 300
_KEPT = ".kept"


class PlacedJob(RemoteJob):
    """A remote job that gives its place back when its run has ended."""

    def begin(self, shared: Mapping[str, str | None], status: Mapping[str, Any]) -> None:
        """As `RemoteJob.begin`."""
        if not self._has_begun():
            super().begin(shared, status)
            threading.Thread(target=self._give_back, daemon=True).start()

    def _give_back(self) -> None:
        while not self._is_seen_over():
            time.sleep(OVER_SECONDS)
        time.sleep(FETCH_SECONDS)
        here = ray.get_runtime_context()
        heir = (
            ray.remote(KeptJob)
            .options(
                name=here.get_actor_name() + _KEPT,
                namespace=here.namespace,
                lifetime="detached",
                max_restarts=0,
                num_cpus=0,
                num_gpus=0,
                scheduling_strategy=NodeAffinitySchedulingStrategy(here.get_node_id(), soft=False),
            )
            .remote(*self.heir())
        )
        ray.get(heir.hello.remote())
        ray.kill(here.current_actor, no_restart=True)

    def _is_seen_over(self) -> bool:
        try:
            return self.is_over()
        except (OSError, MtlabError):  # a full disk: its end can be written later
            return False


class RayAnswer:
    """What an actor will have answered."""

    def __init__(self, reference: Any) -> None:
        self._reference = reference

    def wait(self, seconds: float) -> Any:
        """The answer; raises `Lost`, `Silent` or `Refused`."""
        try:
            return ray.get(self._reference, timeout=seconds)
        except GetTimeoutError:
            raise Silent(f"no answer within {seconds:.0f} s") from None
        except ActorUnavailableError as error:
            raise Silent(_first(error)) from None
        except RayActorError as error:
            raise Lost(_first(error)) from None
        except RayTaskError as error:
            cause = error.cause
            raise Refused(_first(cause) if cause is not None else _first(error)) from None
        except RayError as error:
            raise Lost(_first(error)) from None


class RayFar:
    """One actor."""

    def __init__(self, actor: Any) -> None:
        self._actor = actor

    def ask(self, method: str, *arguments: Any) -> RayAnswer:
        """Call a method of `RemoteJob`; returns at once."""
        return RayAnswer(getattr(self._actor, method).remote(*arguments))


class RayJobs:
    """The actors of one home on the cluster that this process is connected to.

    Args:
        namespace: the home's.
    """

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace
        self._kind = ray.remote(PlacedJob)

    def hire(self, name: str, run: str, placement: Placement) -> RayFar:
        """The actor of that name; made where it is not there."""
        try:
            actor = self._kind.options(
                name=name,
                namespace=self._namespace,
                lifetime="detached",
                get_if_exists=True,
                max_restarts=0,
                max_task_retries=0,
                num_cpus=placement.cpus,
                num_gpus=placement.gpus,
            ).remote(run, placement.cpus, placement.gpus)
        except (RayError, ValueError) as error:
            raise Lost(_first(error)) from None
        return RayFar(actor)

    def find(self, name: str) -> RayFar | None:
        """The actor of that name, if there is one."""
        try:
            return RayFar(ray.get_actor(name, namespace=self._namespace))
        except ValueError:
            return None

    def kept(self, name: str) -> RayFar | None:
        """The actor to which that one has left its files, if there is one."""
        return self.find(name + _KEPT)

    def let_go(self, name: str) -> None:
        """End an actor, and with it the run's process."""
        for one in (name, name + _KEPT):
            with contextlib.suppress(ValueError, RayError):
                ray.kill(ray.get_actor(one, namespace=self._namespace), no_restart=True)

    def names(self) -> set[str]:
        """All actors of the home, those that only keep files by the name of the one before."""
        every = ray.util.list_named_actors(all_namespaces=True)
        return {
            one["name"].removesuffix(_KEPT) for one in every if one["namespace"] == self._namespace
        }

    def slots(self, placement: Placement) -> int:
        """How many runs of that size fit on the cluster at once, now."""
        return sum(slots_of(node["Resources"], placement) for node in ray.nodes() if node["Alive"])


def slots_of(resources: dict[str, float], placement: Placement) -> int:
    """How many runs of that size a node holds."""
    fits = int(resources.get("CPU", 0.0) // placement.cpus)
    if placement.gpus:
        fits = min(fits, int(resources.get("GPU", 0.0) // placement.gpus))
    return fits


def _first(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:_LONGEST]

"""A real Ray cluster of several nodes on this machine, by Ray's own class for that."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.near_jobs import FAKE_NODE

MEMORY = 80 * 2**20
"""Of a node's object store; the smallest that Ray takes is 75 MB."""


class RayCluster:
    """A head and as many workers as are added, of one CPU each.

    Args:
        scratch: where the nodes keep what comes to them.

    Attributes:
        address: for who is on this machine.
        client: for who is not, `ray://...`.
    """

    def __init__(self, scratch: Path) -> None:
        from ray.cluster_utils import Cluster

        self._scratch = scratch
        port = _free_port()
        head = {"num_cpus": 1, "object_store_memory": MEMORY, "include_dashboard": False}
        # A node that is killed is to be missed soon, not after half a minute; and on a machine that
        # does other work, too, Ray's politeness would have its runs starve.
        watchful = {
            "health_check_period_ms": 500,
            "health_check_failure_threshold": 3,
            "worker_niceness": 0,
        }
        with _environment_of_a_node(scratch):
            self._cluster = Cluster(
                initialize_head=True,
                head_node_args={
                    **head, "ray_client_server_port": port, "_system_config": watchful,
                },
            )  # fmt: skip
        self.address = str(self._cluster.address)
        self.client = f"ray://127.0.0.1:{port}"
        _until_open(port)

    def add(self) -> Any:
        """Another node."""
        with _environment_of_a_node(self._scratch):
            return self._cluster.add_node(num_cpus=1, object_store_memory=MEMORY)

    def kill(self, node: Any) -> None:
        """Kill all processes of a node."""
        self._cluster.remove_node(node, allow_graceful=False)

    def end(self) -> None:
        """Kill all nodes."""
        self._cluster.shutdown()


@contextmanager
def ray_cluster(scratch: Path) -> Iterator[RayCluster]:
    """A cluster whose nodes keep their things in a folder and know the runs that only pretend."""
    cluster = RayCluster(scratch)
    try:
        yield cluster
    finally:
        cluster.end()


@contextmanager
def _environment_of_a_node(scratch: Path) -> Iterator[None]:
    """A node's processes are given what is in the environment when it is started."""
    before = dict(os.environ)
    os.environ |= {
        "MTLAB_SCRATCH": str(scratch),
        "PYTHONPATH": str(FAKE_NODE),
        "RAY_USAGE_STATS_ENABLED": "0",
        "MTLAB_HOME": str(scratch / "home"),
    }
    try:
        yield
    finally:
        os.environ.clear()
        os.environ |= before


def _until_open(port: int) -> None:
    """Ray says that a head is there before it serves clients."""
    deadline = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])

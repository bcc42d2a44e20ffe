"""Connecting to a cluster, with a sentence where that cannot be. Imports Ray."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import sys
import time

import ray

from mtlab.cluster.address import CLIENT, knock, nobody_answers
from mtlab.errors import InputError

TRIES = 3

_VERSIONS = re.compile(r"Ray: (?P<ray>[\w.]+).{0,40}?Python: (?P<python>[\d.]+)", re.DOTALL)


def connect(address: str, namespace: str) -> None:
    """Connect this process to a cluster.

    Args:
        address: as `checked_address` leaves it.
        namespace: keeps the names of one home's jobs apart from another's.

    Raises:
        InputError: nobody answers, or the cluster has another Ray or Python.
    """
    knock(address)
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    for left in reversed(range(TRIES)):
        try:
            ray.init(
                address=address,
                namespace=namespace,
                log_to_driver=False,
                logging_level=logging.ERROR,
            )
            return
        except Exception as error:  # Ray has no common class for these
            if not left or not address.startswith(CLIENT):
                raise explained(error, address) from error
            # A busy head may be slow to start the process that serves a client.
            print(error, file=sys.stderr)
            time.sleep(1.0)


def disconnect() -> None:
    """Say goodbye: a head that serves a client from afar would wait for it to come back."""
    with contextlib.suppress(Exception):  # it is over either way
        ray.shutdown()


def explained(error: Exception, address: str) -> InputError:
    """The sentence for a connection that failed."""
    text = str(error)
    found = _VERSIONS.findall(text)
    if "version" in text.lower() and re.search("mismatch|differ", text.lower()):
        if len(found) >= 2 and found[0] != found[1]:
            (ray_there, python_there), (ray_here, python_here) = found[0], found[1]
            return InputError(
                f"the cluster at {address} has Ray {ray_there} on Python {python_there}, "
                f"and this machine has Ray {ray_here} on Python {python_here}",
                field="address",
                fix=f"pip install 'ray[client]=={ray_there}' here, in a Python of that version",
            )
        return InputError(
            f"the cluster at {address} has another version of Ray or Python",
            field="address",
            why=text.splitlines()[0][:200],
            fix="install the cluster's versions here",
        )
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return nobody_answers(address, (lines or [type(error).__name__])[-1][:200])

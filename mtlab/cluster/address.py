"""What a cluster's address looks like, and whether Ray is here at all."""

from __future__ import annotations

import re
import socket
from importlib.util import find_spec

from mtlab.errors import InputError

AUTO = "auto"
CLIENT = "ray://"
SECONDS = 5.0
"""How long a machine may take to answer a knock at its port."""

_PLACE = re.compile(r"(?:ray://)?(?P<host>[\w.-]+|\[[0-9a-fA-F:]+\]):(?P<port>\d{1,5})")


def checked_address(text: str | None) -> str:
    """An address as it is written down.

    Args:
        text: `ray://HOST:10001`, `HOST:6379` or `auto`, which is also what None means.

    Raises:
        InputError: it is none of the three, or Ray is not installed here.
    """
    address = (text or AUTO).strip()
    if address != AUTO and _host_and_port(address) is None:
        raise InputError(
            f"'{address}' is no address of a Ray cluster",
            field="address",
            fix="use ray://HOST:10001, HOST:6379, or auto for a cluster on this machine",
        )
    require_ray()
    return address


def require_ray() -> None:
    """Refuse to go on without Ray.

    Raises:
        InputError: it is not installed here.
    """
    if find_spec("ray") is None:
        raise InputError(
            "Ray is not installed here", field="executor", fix="pip install 'mtlab[ray]'"
        )


def knock(address: str, seconds: float = SECONDS) -> None:
    """Refuse an address where nobody answers; `auto` is found out by Ray itself.

    Raises:
        InputError: nobody does.
    """
    place = _host_and_port(address)
    if place is None:
        return
    try:
        socket.create_connection(place, timeout=seconds).close()
    except OSError as error:
        raise nobody_answers(address, error.strerror or str(error) or "no answer") from None


def nobody_answers(address: str, why: str) -> InputError:
    """The sentence for an address where there is no cluster."""
    return InputError(
        f"no Ray cluster answers at {address}",
        field="address",
        why=why,
        fix="start one with 'ray start --head', or check the address",
    )


def _host_and_port(address: str) -> tuple[str, int] | None:
    found = _PLACE.fullmatch(address)
    if found is None or not 0 < int(found["port"]) < 65536:
        return None
    return found["host"].strip("[]"), int(found["port"])

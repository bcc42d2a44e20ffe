"""Whether a request was made by this lab's own page, or by no page at all.

A page elsewhere can send requests from a visitor's browser: with that visitor's rights if they are
signed in, and to a lab that only their machine reaches. So what another origin sends is refused,
cookie or not. And a name that somebody else's DNS has point at this machine is not one of the
lab's, so that a page served under it cannot pass for the lab's own (DNS rebinding).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import urlsplit

LOOPBACK = ("localhost", "127.0.0.1", "::1")


def is_loopback(host: str) -> bool:
    """Whether a server bound to that host is reached from this machine alone."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True)
class Origins:
    """The names by which a lab is reached.

    Attributes:
        hosts: names, without a port; empty means any.
        also: names of a proxy, under which a browser may know the page though requests that come
            here carry another.
    """

    hosts: frozenset[str] = frozenset()
    also: frozenset[str] = frozenset()

    @classmethod
    def of(cls, bound_to: str, named: Collection[str]) -> Origins:
        """Of a server bound to a host.

        Args:
            bound_to: the host.
            named: those that were named (`Door.hosts`).
        """
        names = frozenset(named)
        if is_loopback(bound_to):
            return cls(names | frozenset(LOOPBACK) | {bound_to.strip("[]").lower()}, names)
        return cls(names | frozenset(LOOPBACK) if names else frozenset(), names)

    def refuses(self, host: str, origin: str | None, site: str | None) -> str:
        """Why a request is refused, as a sentence; empty where it is not.

        Args:
            host: its `Host` header.
            origin: its `Origin` header.
            site: its `Sec-Fetch-Site` header, which no page can set.
        """
        name = _name(f"//{host}")
        if self.hosts and name not in self.hosts:
            return (
                "This lab is not reached under that name: name it in MTLAB_HOSTS when a proxy "
                "stands before it."
            )
        if origin is not None:
            own = origin.lower() in (f"http://{host.lower()}", f"https://{host.lower()}")
            if not own and _name(origin) not in self.also:
                return "This lab answers its own page and programs, not other pages."
        elif site == "cross-site":
            return "This lab answers its own page and programs, not other pages."
        return ""


def _name(address: str) -> str:
    try:
        return (urlsplit(address).hostname or "").lower()
    except ValueError:
        return ""

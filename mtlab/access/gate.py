"""The rules together: what everyone who asks over the network has to pass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from mtlab.access.people import People, Person
from mtlab.errors import InputError
from mtlab.runs.moving import Where
from mtlab.runs.status import Status

Act = Literal["stopped", "resumed", "deleted", "moved"]


class NotAllowed(InputError):
    """Somebody asks for what is not theirs to have."""


@dataclass(frozen=True)
class Gate:
    """Who is asking, and what they may.

    Attributes:
        people: tells who is asking.
        asking: the request that is being answered, as the server got it.
    """

    people: People
    asking: Callable[[], object]

    def person(self) -> Person:
        """Who is asking now; a visitor where no request is being answered."""
        return self.people.who(self.asking())

    def launching(self) -> Person:
        """Who is asking, if they may launch.

        Raises:
            NotAllowed: they may not.
        """
        person = self.person()
        if not person.may_launch:
            what = (
                f"'{person.name}' may look and translate, and not launch"
                if person.name
                else "runs are launched by those who have signed in, and you have not"
            )
            raise NotAllowed(what, fix=self.people.how)
        return person

    def changing(self, status: Status | None, act: Act, where: Where | None = None) -> Person:
        """Who is asking, if they may do that to a run: its owner and administrators may.

        The queue's order is for administrators: whoever moves ahead moves others back.

        Raises:
            NotAllowed: they may not.
        """
        person = self.person()
        if person.is_admin:
            return person
        owner = status.owner if status is not None else None
        run = f"run {status.id}" if status is not None else "this run"
        if where in ("front", "up"):
            raise NotAllowed(
                f"{run} is moved ahead of others by an administrator alone", fix="wait for its turn"
            )
        if not person.may_launch or not person.name or owner != person.name:
            whose = "its owner" if owner is None else f"'{owner}', who launched it,"
            fix = "ask one of them" if person.name else self.people.how
            raise NotAllowed(f"{run} is {act} by {whose} or an administrator", fix=fix)
        return person

"""Who is asking: told from what the server knows of a request, never from what a client says.

Everyone     nobody is asked; whoever reaches the lab is its administrator
FromFile     those of an auth file, by the cookie that signing in gave them
FromHub      on Spaces, those whom Hugging Face has signed in
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from mtlab.access.passwords import AuthFile
from mtlab.access.sessions import Sessions
from mtlab.errors import MtlabError
from mtlab.settings import Door

COOKIE = "mtlab-session"
EVERYBODY = "*"


@dataclass(frozen=True)
class Person:
    """Somebody who asks for something.

    Attributes:
        name: what they signed in as; empty where they did not.
        may_launch: whether they may start runs.
        is_admin: whether everybody's runs are theirs to stop and delete.
    """

    name: str = ""
    may_launch: bool = False
    is_admin: bool = False


VISITOR = Person()
"""Who looks and translates."""


class People(Protocol):
    """Tells who is asking.

    Attributes:
        kind: `everyone`, `file` or `hub`.
        how: what a visitor can do to be allowed more, as the end of a sentence.
    """

    kind: str
    how: str

    def who(self, request: Any) -> Person:
        """Whose request it is; a `VISITOR` wherever there is a doubt."""


class Everyone:
    """A lab without a login."""

    kind = "everyone"
    how = "reload the page"

    def who(self, request: Any) -> Person:
        """Somebody without a name who may do everything."""
        return Person(may_launch=True, is_admin=True)


class FromFile:
    """The people of an auth file.

    Args:
        file: where they stand.
        door: names further administrators.
        sessions: of those who signed in.
    """

    kind = "file"
    how = "sign in at the top of the page"

    def __init__(self, file: AuthFile, door: Door, sessions: Sessions | None = None) -> None:
        self.file = file
        self.sessions = sessions or Sessions()
        self._admins = door.admins

    def who(self, request: Any) -> Person:
        """By the session's cookie; somebody who was taken out of the file is a visitor at once."""
        name = self.sessions.name(cookies_of(request).get(COOKIE))
        if name is None:
            return VISITOR
        try:
            account = self.file.accounts().get(name)
        except MtlabError:
            return VISITOR  # a file that cannot be read lets nobody in
        if account is None:
            return VISITOR
        return Person(
            name, may_launch=True, is_admin=account.role == "admin" or name in self._admins
        )


class FromHub:
    """Those whom Hugging Face has signed in; the allow-list says who may do more than look.

    Args:
        door: the allow-list and the administrators.
        author: who owns the Space, an administrator always.
        can_sign_in: whether the Space has a login at all (`hf_oauth` in its README).
    """

    kind = "hub"

    def __init__(self, door: Door, author: str | None = None, *, can_sign_in: bool = True) -> None:
        self.can_sign_in = can_sign_in
        self.how = (
            "sign in with Hugging Face, and ask this lab's owner to be let in (MTLAB_ALLOW)"
            if can_sign_in
            else "nobody can sign in here until its owner sets hf_oauth in the Space's README"
        )
        self._admins = {name.lower() for name in (*door.admins, author or "") if name}
        self._allow = {name.lower() for name in door.allow}

    def who(self, request: Any) -> Person:
        """By the session that Gradio's OAuth routes signed."""
        name = _hub_name(_scope(request).get("session"))
        if not name:
            return VISITOR
        is_admin = name.lower() in self._admins
        listed = EVERYBODY in self._allow or name.lower() in self._allow
        return Person(name, may_launch=is_admin or listed, is_admin=is_admin)


def cookies_of(request: Any) -> Mapping[str, str]:
    """The cookies of a request of Starlette's or of Gradio's; none of what is neither."""
    inner = getattr(request, "request", None) or request
    found = getattr(inner, "cookies", None)
    return found if isinstance(found, Mapping) else {}


def _scope(request: Any) -> Mapping[str, Any]:
    inner = getattr(request, "request", None) or request
    found = getattr(inner, "scope", None)
    return found if isinstance(found, Mapping) else {}


def _hub_name(session: Any) -> str:
    info = session.get("oauth_info") if isinstance(session, Mapping) else None
    if not isinstance(info, Mapping):
        return ""
    ends = info.get("expires_at")
    if not isinstance(ends, int | float) or ends < time.time():
        return ""
    profile = info.get("userinfo")
    name = profile.get("preferred_username") if isinstance(profile, Mapping) else None
    return name if isinstance(name, str) else ""

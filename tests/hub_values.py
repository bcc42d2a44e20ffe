"""What the stand-in of the hub keeps and is asked: people, repositories, requests."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

LARGE_ENDINGS = (".safetensors", ".bin", ".zip", ".png", ".parquet")
LARGE_BYTES = 10_000_000


@dataclass(frozen=True)
class Person:
    """Whom a token stands for.

    Attributes:
        name: the account.
        role: of the token: `write`, `read` or `fineGrained`.
        orgs: organisations in which the account may write.
        scopes: of a fine-grained token: where it may write.
    """

    name: str
    role: str
    orgs: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()

    def may_write(self, owner: str) -> bool:
        """Whether the token may change what an account or organisation owns."""
        if self.role == "fineGrained":
            return owner in self.scopes
        return self.role == "write" and owner in (self.name, *self.orgs)

    def to_json(self) -> dict[str, Any]:
        """As `whoami-v2` answers."""
        token: dict[str, Any] = {"displayName": "a token", "role": self.role}
        if self.role == "fineGrained":
            token["fineGrained"] = {
                "global": [],
                "scoped": [
                    {
                        "entity": {"type": "user" if one == self.name else "org", "name": one},
                        "permissions": ["repo.content.read", "repo.write"],
                    }
                    for one in self.scopes
                ],
            }
        return {
            "type": "user",
            "id": self.name,
            "name": self.name,
            "fullname": self.name.title(),
            "isPro": False,
            "orgs": [{"type": "org", "name": one, "roleInOrg": "write"} for one in self.orgs],
            "auth": {"type": "access_token", "accessToken": token},
        }


@dataclass
class Repo:
    """One repository; `history` holds every commit's whole content."""

    kind: str
    id: str
    private: bool = False
    sdk: str | None = None
    history: list[tuple[str, str, dict[str, bytes]]] = field(default_factory=list)
    large: set[str] = field(default_factory=set)
    secrets: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    hardware: str = "cpu-basic"
    sleep_seconds: int | None = None
    stage: str = "BUILDING"
    restarts: int = 0

    def __post_init__(self) -> None:
        self.commit("initial commit", {".gitattributes": b"*.safetensors filter=lfs\n"})

    @property
    def files(self) -> dict[str, bytes]:
        """What the newest commit holds."""
        return self.history[-1][2]

    @property
    def head(self) -> str:
        """The newest commit."""
        return self.history[-1][0]

    def commit(self, title: str, files: dict[str, bytes]) -> str:
        """Add a commit with that whole content."""
        what = f"{self.id} {len(self.history)} {title}"
        oid = hashlib.sha1(what.encode(), usedforsecurity=False).hexdigest()
        self.history.append((oid, title, files))
        return oid

    def at(self, revision: str) -> tuple[str, dict[str, bytes]] | None:
        """A commit and what it holds; None where there is no such revision."""
        if revision == "main":
            return self.head, self.files
        return next(((oid, files) for oid, _, files in self.history if oid == revision), None)

    def entry(self, path: str, data: bytes) -> dict[str, Any]:
        """A file as listings give it."""
        entry: dict[str, Any] = {"type": "file", "path": path, "size": len(data)}
        entry["oid"] = git_id(data)
        if path in self.large:
            sha = hashlib.sha256(data).hexdigest()
            entry["lfs"] = {"oid": sha, "size": len(data), "pointerSize": 134}
        return entry

    def runtime(self) -> dict[str, Any]:
        """A Space's state."""
        return {
            "stage": self.stage,
            "hardware": {"current": self.hardware, "requested": self.hardware},
            "gcTimeout": self.sleep_seconds,
            "storage": None,
        }


@dataclass(frozen=True)
class Answer:
    """One answer."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


class Refused(Exception):
    """An answer that ends a request early."""

    def __init__(self, status: int, message: str, code: str | None = None) -> None:
        headers = {"X-Error-Message": message}
        if code:
            headers["X-Error-Code"] = code
        self.answer = Answer(status, {"error": message}, headers)
        super().__init__(message)


@dataclass(frozen=True)
class Request:
    """One request, read whole."""

    method: str
    path: str
    query: dict[str, list[str]]
    body: bytes
    token: str | None

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body or b"{}")


def git_id(data: bytes) -> str:
    whole = b"blob %d\0" % len(data) + data
    return hashlib.sha1(whole, usedforsecurity=False).hexdigest()

"""The auth file: a line `NAME:ROLE:HASH` for each person; `mtlab auth add NAME` writes one.

The hash is scrypt's (RFC 7914) with a salt of its own, written as `scrypt$n$r$p$salt$hash`; the
parameters are OWASP's. A role is `user` or `admin`. The file is read again when it has changed, so
that nobody has to start the lab anew to let somebody in, or out.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import os
import re
import secrets
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mtlab.errors import InputError, NotAvailable
from mtlab.runs.files import FileMark, file_mark, write_atomic, writing

Role = Literal["user", "admin"]
ROLES: tuple[Role, ...] = ("user", "admin")
SHORTEST = 8
LONGEST = 1024

_N, _R, _P = 2**15, 8, 3
_MEMORY = 128 * 1024 * 1024
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}")
_AT_ONCE = threading.BoundedSemaphore(2)
"""Each check takes 32 MB, on purpose; strangers must not multiply that at will."""


@dataclass(frozen=True)
class Account:
    """One line of the file."""

    name: str
    role: Role
    hash: str


def hashed(password: str, salt: bytes | None = None) -> str:
    """A password as the file keeps it.

    Raises:
        InputError: too short, or too long.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise InputError(
            f"a password of {len(password)} characters cannot be used",
            field="password",
            fix=f"give {SHORTEST} to {LONGEST:,} characters",
        )
    salt = salt or secrets.token_bytes(16)
    made = _scrypt(password, salt, _N, _R, _P)
    words = (base64.b64encode(one).decode() for one in (salt, made))
    return f"scrypt${_N}${_R}${_P}$" + "$".join(words)


def matches(password: str, kept: str) -> bool:
    """Whether a password is the one that was hashed; False for what is no hash."""
    try:
        kind, n, r, p, salt, made = kept.split("$")
        known = base64.b64decode(made, validate=True)
        if kind != "scrypt" or len(password) > LONGEST or len(known) != 32:
            return False
        given = _scrypt(password, base64.b64decode(salt, validate=True), int(n), int(r), int(p))
    except ValueError:
        return False
    return hmac.compare_digest(given, known)


def _scrypt(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    data = password.encode("utf-8", "surrogatepass")
    with _AT_ONCE:
        return hashlib.scrypt(data, salt=salt, n=n, r=r, p=p, maxmem=_MEMORY, dklen=32)


class AuthFile:
    """The people of an auth file. Safe to use from several threads.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._mark: FileMark | None = None
        self._accounts: dict[str, Account] = {}
        # Compared with when there is no such name, so that time does not tell which names exist.
        self._nobody = hashed(secrets.token_hex(16))

    def accounts(self) -> dict[str, Account]:
        """All people by name.

        Raises:
            NotAvailable: the file cannot be read.
            InputError: a line of it is none.
        """
        with self._lock:
            mark = file_mark(self.path)
            if mark is None or mark != self._mark:
                self._accounts, self._mark = _read(self.path), mark
            return self._accounts

    def signs_in(self, name: str, password: str) -> Account | None:
        """The person, if the password is right; takes equally long for a name there is not."""
        account = self.accounts().get(name)
        right = matches(password, account.hash if account else self._nobody)
        return account if right else None

    def add(self, name: str, password: str, role: Role = "user") -> None:
        """Add a person, or give one another password and role; makes the file if need be.

        Raises:
            InputError: a name, a password or a role that cannot be used.
            NotAvailable: the file cannot be written.
        """
        if not _NAME.fullmatch(name):
            raise InputError(
                f"'{name}' is no name to sign in with",
                field="name",
                fix="use letters, digits and . _ @ -, 64 at most",
            )
        if role not in ROLES:
            raise InputError(f"'{role}' is no role", field="role", fix=f"use {' or '.join(ROLES)}")
        people = self._there()
        people[name] = Account(name, role, hashed(password))
        self._write(people)

    def remove(self, name: str) -> None:
        """Take a person out.

        Raises:
            InputError: nobody has that name.
            NotAvailable: the file cannot be read or written.
        """
        people = self._there()
        if people.pop(name, None) is None:
            raise InputError(
                f"nobody is called '{name}'", field="name", fix="see 'mtlab auth list'"
            )
        self._write(people)

    def _there(self) -> dict[str, Account]:
        return dict(self.accounts()) if self.path.exists() else {}

    def _write(self, people: dict[str, Account]) -> None:
        lines = [f"{one.name}:{one.role}:{one.hash}\n" for one in people.values()]
        with writing(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(self.path, "".join(lines))
            with contextlib.suppress(OSError):
                os.chmod(self.path, 0o600)


def _read(path: Path) -> dict[str, Account]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise NotAvailable(
            f"the auth file '{path}' cannot be read",
            why=getattr(error, "strerror", None) or "it is not UTF-8",
            fix="write it with 'mtlab auth add NAME'",
        ) from None
    people: dict[str, Account] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("#"):
            continue
        name, _, rest = line.strip().partition(":")
        role, _, kept = rest.partition(":")
        if not _NAME.fullmatch(name) or role not in ROLES or not kept.startswith("scrypt$"):
            raise InputError(
                f"line {number} of '{path}' is no NAME:ROLE:HASH",
                field="auth-file",
                fix="write it with 'mtlab auth add NAME'",
            )
        people[name] = Account(name, role, kept)
    return people

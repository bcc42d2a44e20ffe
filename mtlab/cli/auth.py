"""`mtlab auth`: who may launch, stop and delete in the browser and over HTTP."""

from __future__ import annotations

import argparse
import getpass
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mtlab.access.passwords import ROLES, AuthFile
from mtlab.cli import printing
from mtlab.errors import InputError
from mtlab.settings import Settings


def add(args: argparse.Namespace) -> int:
    """Write a person's line; the password is asked for, or read as the first line of the input."""
    file = _file(args)
    file.add(args.name, _password(), args.role)
    print(f"{args.name} may sign in: python app.py --auth-file {file.path}")
    return printing.finish(args, {"name": args.name, "role": args.role, "file": str(file.path)})


def remove(args: argparse.Namespace) -> int:
    """Take a person out."""
    file = _file(args)
    file.remove(args.name)
    print(f"{args.name} may no longer sign in")
    return printing.finish(args, {"name": args.name, "file": str(file.path)})


def people(args: argparse.Namespace) -> int:
    """List the people and their roles, never the hashes."""
    rows = [{"name": one.name, "role": one.role} for one in _file(args).accounts().values()]
    printing.table(rows, empty="nobody may sign in")
    return printing.finish(args, {"people": rows})


def add_arguments(actions: Any, verb: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the actions.

    Args:
        actions: of the verb `auth`.
        verb: makes an action's parser, as `mtlab.cli.parser` does for every verb.
    """
    for name, function, text in (
        ("add", add, "let somebody in, or change a password or a role"),
        ("remove", remove, "let somebody in no longer"),
        ("list", people, "who is let in"),
    ):
        action = verb(actions, name, function, text)
        if name != "list":
            action.add_argument("name", metavar="NAME", help="what they sign in as")
        if name == "add":
            action.add_argument("--role", default="user", help=" or ".join(ROLES))
        action.add_argument(
            "--auth-file", metavar="FILE", type=Path,
            help="MTLAB_AUTH_FILE, or auth.txt in the home, when not given",
        )  # fmt: skip


def _file(args: argparse.Namespace) -> AuthFile:
    settings = Settings.from_environment()
    path = args.auth_file or settings.door.auth_file or settings.home / "auth.txt"
    return AuthFile(path.expanduser().absolute())


def _password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password = getpass.getpass("password: ")
    if getpass.getpass("again: ") != password:
        raise InputError("the two are not the same", field="password", fix="type it again")
    return password

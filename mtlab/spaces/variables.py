"""The variables that a Space shows to everybody, and the secrets that it shows to nobody."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from mtlab.errors import InputError
from mtlab.secrecy import is_secret, redacted
from mtlab.settings import Settings

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SET_BY_SPACES = re.compile(r"SPACES?_\w+|OAUTH_\w+|SYSTEM|PORT|GRADIO_SERVER_\w+", re.IGNORECASE)


def read_variables(words: Iterable[str]) -> dict[str, str]:
    """Variables written `NAME=VALUE`.

    Raises:
        InputError: a word is written otherwise, is given twice, or holds what nobody should read;
            or it is a setting of the lab with a value that the lab would not start with.
    """
    found: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        _check_name(name, "--variable", found)
        if not equals:
            raise InputError(f"'{name}' has no value", field="--variable", fix="write NAME=VALUE")
        if is_secret(name) or redacted(value) != value:
            raise InputError(
                f"'{name}' looks like a secret, and everybody can read a Space's variables",
                field="--variable",
                fix=f"give it with --secret {name}",
            )
        found[name] = value
    Settings.from_environment(found)
    return found


def read_secrets(words: Iterable[str], environment: Mapping[str, str]) -> dict[str, str]:
    """Secrets written `NAME=VALUE`, or `NAME` alone for what the environment holds.

    Raises:
        InputError: a word is written otherwise or given twice, or the environment has no such
            variable.
    """
    found: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        _check_name(name, "--secret", found)
        found[name] = value if equals else environment.get(name, "")
        if not found[name]:
            raise InputError(
                f"'{name}' has no value",
                field="--secret",
                fix=f"set {name} in the environment, or write {name}=VALUE",
            )
    return found


def _check_name(name: str, flag: str, found: Mapping[str, str]) -> None:
    if not _NAME.fullmatch(name):
        # What stands there may be a secret itself, and is not repeated.
        raise InputError("a name is missing or cannot be used", field=flag, fix="write NAME=VALUE")
    if name in found:
        raise InputError(f"'{name}' is given twice", field=flag, fix="give it once")
    if _SET_BY_SPACES.fullmatch(name):
        raise InputError(f"'{name}' is set by Spaces itself", field=flag, fix="leave it out")

"""The token of the hub: whether there is one, and whether it may write to a name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mtlab.errors import InputError

TOKENS = "https://huggingface.co/settings/tokens"


def no_token() -> InputError:
    """There is no token on this machine."""
    return InputError(
        "there is no token for the hub",
        field="HF_TOKEN",
        fix=f"make one that may write at {TOKENS} and set HF_TOKEN, or run 'hf auth login'",
    )


def unknown_token(said: str | None = None) -> InputError:
    """The hub does not know the token."""
    return InputError(
        "the hub does not know this token",
        field="HF_TOKEN",
        why=said,
        fix=f"make a new one at {TOKENS}",
    )


def may_not_write(owner: str, why: str | None = None) -> InputError:
    """The token, or whose it is, has no right to make or change what is the owner's."""
    return InputError(
        f"this token may not write to '{owner}'",
        field="HF_TOKEN",
        why=why,
        fix=f"make one that may at {TOKENS}, or name an account of yours",
    )


def check_rights(name: str, account: Mapping[str, Any]) -> None:
    """Refuse a token that may not write a name, as far as the hub tells.

    Args:
        name: OWNER/NAME.
        account: what the hub's `whoami` answers.

    Raises:
        InputError: it may not, and why.
    """
    owner = name.split("/")[0]
    user = str(account.get("name"))
    orgs = {str(org.get("name")): org.get("roleInOrg") for org in account.get("orgs") or ()}
    if owner != user and owner not in orgs:
        raise may_not_write(owner, f"it is of '{user}', who is not in '{owner}'")
    if owner != user and orgs[owner] in ("read", None):
        raise may_not_write(owner, f"'{user}' may only read in '{owner}'")
    token = (account.get("auth") or {}).get("accessToken") or {}
    if token.get("role") == "read":
        raise may_not_write(owner, "it may only read")
    scopes = (token.get("fineGrained") or {}).get("scoped")
    if scopes is not None and not any(_covers(scope, owner, name) for scope in scopes):
        raise may_not_write(owner, f"it was not made for writing in '{owner}'")


def _covers(scope: Mapping[str, Any], owner: str, name: str) -> bool:
    """Whether a part of a fine-grained token's rights is to write a name."""
    entity = (scope.get("entity") or {}).get("name")
    return entity in (owner, name) and "repo.write" in (scope.get("permissions") or ())

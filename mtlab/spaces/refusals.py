"""What the hub refuses or does not answer, as sentences."""

from __future__ import annotations

from collections.abc import Iterable

from mtlab.errors import InputError, MtlabError, NotAvailable
from mtlab.secrecy import GONE
from mtlab.sharing.rights import may_not_write, unknown_token


def explained(
    error: Exception, name: str, endpoint: str, secrets: Iterable[str] = ()
) -> MtlabError:
    """What a person reads of a failed call.

    Args:
        error: what the hub's library raised.
        name: the Space, as `OWNER/NAME`.
        endpoint: the hub's address.
        secrets: what no message repeats, should the hub have said it.
    """
    from huggingface_hub import errors

    if isinstance(error, MtlabError):
        return error
    if isinstance(error, errors.OfflineModeIsEnabled):
        return NotAvailable("the hub cannot be asked", why="HF_HUB_OFFLINE is set", fix="unset it")
    if isinstance(error, errors.RepositoryNotFoundError):
        return InputError(f"there is no Space '{name}'", field="space", fix="check its name")
    if not isinstance(error, errors.HfHubHTTPError):
        is_answered = isinstance(error, (ValueError, LookupError))
        return NotAvailable(
            f"no hub answers at {endpoint}" if is_answered else f"nobody answers at {endpoint}",
            why=type(error).__name__,
            fix="check the network, and HF_ENDPOINT if it is set",
        )
    said = error.server_message
    for secret in secrets:
        said = said and said.replace(secret, GONE)
    match error.response.status_code:
        case 401:
            return unknown_token()
        case 402:
            return NotAvailable(
                f"the hub wants to be paid for '{name}'",
                why=said,
                fix="see https://huggingface.co/settings/billing, or choose another --hardware",
            )
        case 403:
            return may_not_write(name.partition("/")[0])
        case 404:
            return NotAvailable(f"no hub answers at {endpoint}", fix="check HF_ENDPOINT")
        case 409:
            return taken(name)
        case 429:
            return NotAvailable("the hub has been asked too often", fix="try again later")
        case status if status >= 500:
            return NotAvailable(f"the hub fails ({status})", why=said, fix="try again later")
        case status:
            return NotAvailable(
                f"the hub refuses '{name}' ({status})", why=said, fix="change what it names"
            )


def taken(name: str) -> InputError:
    """There is such a Space already."""
    return InputError(
        f"there is a Space '{name}' already",
        field="space",
        fix="choose another name, or give --update to push over it",
    )

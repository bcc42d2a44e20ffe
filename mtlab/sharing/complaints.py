"""What the hub may answer, in sentences: one for each thing a person can mend."""

from __future__ import annotations

from typing import NoReturn

from mtlab.errors import MtlabError, NotAvailable
from mtlab.sharing.rights import may_not_write, no_token, unknown_token


def explain(error: Exception, name: str) -> NoReturn:
    """Raise what the user should read for a failure of the hub.

    Args:
        error: of the hub's library, or from below it.
        name: OWNER/NAME.

    Raises:
        InputError: the token or the name is no good.
        NotAvailable: the hub cannot be reached, or refuses for another reason.
    """
    from huggingface_hub import constants, errors

    if isinstance(error, MtlabError):
        raise error
    if isinstance(error, errors.LocalTokenNotFoundError):
        raise no_token() from None
    if isinstance(error, errors.HfHubHTTPError):
        status = error.response.status_code
        said = error.server_message or f"status {status}"
        if status == 401:
            raise unknown_token(said) from None
        if status == 403:
            raise may_not_write(name.partition("/")[0], said) from None
        raise NotAvailable(
            f"the hub refuses '{name}'",
            why=said,
            fix="try again later" if status >= 500 or status == 429 else "see what it says",
        ) from None
    if isinstance(error, errors.OfflineModeIsEnabled):
        raise offline(name) from None
    raise NotAvailable(
        f"the hub at {constants.ENDPOINT} cannot be reached",
        why=type(error).__name__,
        fix="check the network, and HF_ENDPOINT if it is set",
    ) from None


def offline(name: str) -> NotAvailable:
    """The lab is not to ask a hub at all."""
    return NotAvailable(
        f"'{name}' cannot be pushed", why="the lab is offline", fix="unset HF_HUB_OFFLINE"
    )

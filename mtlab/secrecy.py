"""Tokens and passwords: what they look like, and how a text or an environment is rid of them.

No token of the lab belongs in a spec, an event, a log, an export or a message. What a person reads
goes through `redacted`; a process is given the tokens that it needs and no others.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

HUB_TOKENS = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HUGGINGFACE_HUB_TOKEN")
"""Where the hub's own library looks for its token."""

GONE = "[secret]"

_SECRET_NAME = re.compile(
    r"PASSWORD|(^|_)(TOKEN|SECRET|PASSWD|PASSPHRASE|CREDENTIALS?|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY)"
    r"(_|$|S$)|(_KEY|_PASS|_AUTH)$",
    re.IGNORECASE,
)
_NOT_SECRET = frozenset({"MTLAB_RUN_TOKEN", "TOKENIZERS_PARALLELISM"})
_SHORTEST = 8  # a value as short as "1" or "none" stands in many texts
_LOOKS = re.compile(
    r"\bhf_[A-Za-z0-9]{16,}"  # a token of the hub
    r"|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"  # a name and a password in an address
    r"|(?<=[Bb]earer )[\w.~+/-]{8,}=*"
)


def is_secret(name: str) -> bool:
    """Whether a variable of that name holds what nobody should read."""
    return name not in _NOT_SECRET and _SECRET_NAME.search(name) is not None


def redacted(text: str, environment: Mapping[str, str] | None = None) -> str:
    """The text without the secrets of this process's environment, and without what looks like one.

    Args:
        text: any.
        environment: instead of this process's.
    """
    env = os.environ if environment is None else environment
    for name, value in env.items():
        if len(value) >= _SHORTEST and value in text and is_secret(name):
            text = text.replace(value, GONE)
    return _LOOKS.sub(GONE, text) if "_" in text or "://" in text or "earer " in text else text


def without_secrets(environment: Mapping[str, str], *, hub: bool) -> dict[str, str]:
    """An environment for another process.

    Args:
        environment: this one's.
        hub: whether that process asks the model hub, and so needs its token.
    """
    return {
        name: value
        for name, value in environment.items()
        if not is_secret(name) or (hub and name in HUB_TOKENS)
    }

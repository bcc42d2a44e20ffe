"""The README of a Space: its front matter is the configuration that Spaces reads."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import yaml

from mtlab.errors import InputError
from mtlab.spaces.hardware import Hardware

_PARTS = re.compile(r"\A---\n(.*?)\n---\n(.*)\Z", re.DOTALL)
_SECTIONS = re.compile(r"^(?=## )", re.MULTILINE)
_KEPT = ("## Honest limits", "## Licence and citation")
_PICTURE = re.compile(r"!\[[^\]]*\]\([^)]*\)\n*")
# The documents, the tests and the benchmarks stay in the repository; a link to one leads nowhere.
_LINK_WITHIN = re.compile(r"\[([^\]]+)\]\((?!https?:)[^)]*\)")


def readme_for(hardware: Hardware, preload: Sequence[str], text: str) -> str:
    """The README of a Space.

    Args:
        hardware: what it is made for.
        preload: models of the hub that Spaces fetches when it builds the image.
        text: the lab's own README.

    Raises:
        InputError: the lab's README has no front matter.
    """
    parts = _PARTS.match(text)
    if parts is None:
        raise InputError("it has no front matter", field="README.md", fix="get a whole repository")
    front: dict[str, Any] = yaml.safe_load(parts.group(1))
    front["suggested_hardware"] = hardware.name
    if preload:
        front["preload_from_hub"] = list(preload)
    written = yaml.safe_dump(front, sort_keys=False, allow_unicode=True, width=1000)
    return f"---\n{written}---\n{_body(parts.group(2))}"


def _body(text: str) -> str:
    """What the lab is, where its limits are and how it is cited: not how it is installed."""
    first, *sections = _SECTIONS.split(text)
    kept = [section for section in sections if section.startswith(_KEPT)]
    body = _PICTURE.sub("", "".join([first, *kept]))
    return _LINK_WITHIN.sub(r"\1", body)

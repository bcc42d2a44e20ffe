"""The errors mtlab shows to a person.

    MtlabError          anything a user is told about
    ├── InputError      what was asked for cannot be: names the field and the fix (exit status 2)
    ├── NotAvailable    this machine cannot do it now: says why and what would help
    └── RunFailed       a run that was started ended without its result (exit status 1)

Every message is one sentence that says what is wrong, then what to do. The browser, the command
line and Python show the same text; none of them shows a traceback for these.
"""

from __future__ import annotations

import re

from mtlab.secrecy import redacted

_LONGEST = 800
# Control characters, line separators and halves of characters: a sentence is one line, a terminal
# must not take it for commands, and it has to be written as UTF-8.
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")


def _plain(text: str) -> str:
    """What may be shown: it may quote what a stranger gave, or what a library said, and that what
    it was given, such as an address with a token.
    """
    text = _UNPRINTABLE.sub(" ", redacted(str(text)))
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


class MtlabError(Exception):
    """An error meant to be read by the user.

    Args:
        what: what is wrong, as a clause without a final full stop.
        why: the cause, where it is not plain from `what`.
        fix: what the user can do about it.
    """

    def __init__(self, what: str, *, why: str | None = None, fix: str | None = None) -> None:
        self.what = _plain(what)
        self.why = None if why is None else _plain(why)
        self.fix = None if fix is None else _plain(fix)
        super().__init__(self.sentence())

    def sentence(self) -> str:
        """The whole message in one line."""
        text = self.what.rstrip(".")
        if self.why:
            text += f" ({self.why.rstrip('.')})"
        return f"{text}: {self.fix.rstrip('.')}." if self.fix else f"{text}."

    def to_json(self) -> dict[str, str | None]:
        """`{what, why, fix}`, as in `status.json` and the command line's JSON."""
        return {"what": self.what, "why": self.why, "fix": self.fix}


class InputError(MtlabError):
    """A value that cannot be used; `field` is its name in `RunSpec` or on the command line."""

    def __init__(
        self, what: str, *, field: str | None = None, why: str | None = None, fix: str | None = None
    ) -> None:
        self.field = None if field is None else _plain(field)
        super().__init__(what, why=why, fix=fix)

    def sentence(self) -> str:
        """The whole message in one line, led by the field."""
        text = super().sentence()
        return f"{self.field}: {text}" if self.field else text


class NotAvailable(MtlabError):
    """Something this machine cannot do now: a metric, a model, a device."""


class RunFailed(MtlabError):
    """A run ended without its result."""

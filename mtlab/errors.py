"""The errors mtlab shows to a person.

    MtlabError          anything a user is told about
    ├── InputError      what was asked for cannot be: names the field and the fix (exit status 2)
    ├── NotAvailable    this machine cannot do it now: says why and what would help
    └── RunFailed       a run that was started ended without its result (exit status 1)

Every message is one sentence that says what is wrong, then what to do. The browser, the command
line and Python show the same text; none of them shows a traceback for these.
"""

from __future__ import annotations


class MtlabError(Exception):
    """An error meant to be read by the user.

    Args:
        what: what is wrong, as a clause without a final full stop.
        why: the cause, where it is not plain from `what`.
        fix: what the user can do about it.
    """

    def __init__(self, what: str, *, why: str | None = None, fix: str | None = None) -> None:
        self.what = what
        self.why = why
        self.fix = fix
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
        self.field = field
        super().__init__(what, why=why, fix=fix)

    def sentence(self) -> str:
        """The whole message in one line, led by the field."""
        text = super().sentence()
        return f"{self.field}: {text}" if self.field else text


class NotAvailable(MtlabError):
    """Something this machine cannot do now: a metric, a model, a device."""


class RunFailed(MtlabError):
    """A run ended without its result."""

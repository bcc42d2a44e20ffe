"""What decoding gives: one answer, and the two that no model is asked for."""

from __future__ import annotations

from dataclasses import dataclass

TOO_LONG = "the source is longer than the model's context"


@dataclass(frozen=True)
class Hypothesis:
    """One answer.

    Attributes:
        text: what the model wrote, without marks and outer white space.
        ended: whether the model ended it; False where it was cut.
        tokens: tokens written, the end mark left out.
        note: why there is no answer, where there is none; a source that does not fit into the
            model's context is never cut: its answer is empty, not ended, and says so.
    """

    text: str
    ended: bool
    tokens: int
    note: str | None = None


NOTHING = Hypothesis("", True, 0)
"""The answer to an empty source: the model is not asked to make one up."""

UNFIT = Hypothesis("", False, 0, TOO_LONG)
"""The answer to a source that does not fit into the model's context."""

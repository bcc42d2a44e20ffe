"""What was found of one segment, and how many segments fail in each way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

FAILURES = ("empty", "echo", "copy", "off-target", "repetition", "over-long", "truncated")
"""Every failure, the most telling first: a copy is off-target because it is a copy."""


@dataclass(frozen=True)
class Verdict:
    """How one translation fails.

    Attributes:
        names: out of `FAILURES`, in that order; empty if there is nothing to report.
        language: the code of the language it is in, where it is off-target; `und` (undetermined)
            where its script is that of no language of the lab; None where it is not off-target.
    """

    names: tuple[str, ...] = ()
    language: str | None = None

    @property
    def failed(self) -> bool:
        """Whether it fails in any way."""
        return bool(self.names)

    @property
    def chief(self) -> str | None:
        """The failure that tells the most; None where there is none."""
        return self.names[0] if self.names else None


def shares(verdicts: Iterable[Verdict]) -> dict[str, float]:
    """The share of segments with each failure, 0 to 1, for every name in `FAILURES`.

    A segment that fails in two ways counts in both, so the shares may sum to more than 1.
    """
    rows = list(verdicts)
    return {name: sum(name in row.names for row in rows) / max(1, len(rows)) for name in FAILURES}


def stacked(verdicts: Iterable[Verdict]) -> dict[str, float]:
    """The share of segments by their chief failure, 0 to 1, for every name in `FAILURES`.

    A failed segment counts once, so the shares sum to the share of failed segments.
    """
    rows = list(verdicts)
    counts = Counter(row.chief for row in rows)
    return {name: counts[name] / max(1, len(rows)) for name in FAILURES}


def languages(verdicts: Iterable[Verdict]) -> dict[str, float]:
    """The share of all segments, 0 to 1, in each wrong language; the largest first."""
    rows = list(verdicts)
    counts = Counter(row.language for row in rows if row.language)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return {code: count / len(rows) for code, count in ordered}

"""What scoring gives back, and what it accepts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mtlab.errors import InputError

if TYPE_CHECKING:
    from mtlab.scoring.statistics import SegmentStatistics

Progress = Callable[[float, str], None]
"""Called with the share done of the step at hand, 0 to 1, and what the step is."""


@dataclass(frozen=True)
class Gated:
    """A score that failed segments pull down; `mtlab.scoring.gating` says how for which metric.

    Attributes:
        value: the gated corpus score, on the metric's own scale.
        low: lower end of its 95% interval, from the draws of the raw score's; None without one.
        high: upper end of it.
        failed: number of segments with any failure.
    """

    value: float
    low: float | None
    high: float | None
    failed: int

    def to_json(self) -> dict[str, Any]:
        """`{value, low, high, failed}`."""
        return {"value": self.value, "low": self.low, "high": self.high, "failed": self.failed}


@dataclass(frozen=True)
class Score:
    """One system's corpus score under one metric.

    Attributes:
        metric: `bleu`, `chrf` or `comet`.
        value: the corpus score: 0 to 100 for BLEU and chrF, as the model gives it for COMET.
        low: lower end of the 95% bootstrap interval over segments; None where there is none.
        high: upper end of it.
        n: number of segments.
        signature: everything needed to get the same number again.
        seed: seed of the bootstrap; None if it was drawn from the system.
        segments: a score per segment, in the order of the input. For BLEU these are smoothed
            sentence scores, for looking at: their mean is not the corpus score.
        notes: what a reader of the number should know ("1 text was cut at 510 tokens").
        statistics: what the corpus score of BLEU or chrF is the sum of, for comparisons.
        gated: the same with the failed segments counted as such; None where no one looked for
            failures.
    """

    metric: str
    value: float
    low: float | None
    high: float | None
    n: int
    signature: str
    seed: int | None
    segments: tuple[float, ...] | None = field(default=None, repr=False)
    notes: tuple[str, ...] = ()
    statistics: SegmentStatistics | None = field(default=None, repr=False, compare=False)
    gated: Gated | None = None

    def to_json(self) -> dict[str, Any]:
        """`{value, low, high, n, signature, seed}`, and `notes` and `gated` where there are any."""
        data: dict[str, Any] = {
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "n": self.n,
            "signature": self.signature,
            "seed": self.seed,
        }
        if self.notes:
            data["notes"] = list(self.notes)
        if self.gated is not None:
            data["gated"] = self.gated.to_json()
        return data


@dataclass(frozen=True)
class Unavailable:
    """A metric that could not be had, why, and what would help. Never stands for a number."""

    metric: str
    why: str
    fix: str

    def to_json(self) -> dict[str, Any]:
        """`{"available": false, why, fix}`."""
        return {"available": False, "why": self.why, "fix": self.fix}


def check_segments(
    references: Sequence[str],
    systems: Mapping[str, Sequence[str]],
    sources: Sequence[str] | None = None,
) -> None:
    """Refuse what cannot be scored, before anything is computed.

    An empty hypothesis is fine: a system that says nothing has said nothing, and is scored so.

    Args:
        references: one reference per segment.
        systems: hypotheses per system, by its name.
        sources: one source per segment, where the metric reads it.

    Raises:
        InputError: no segments, no systems, lists of unequal length, a segment that is no text,
            or an empty source or reference; with the counts.
    """
    if not references:
        raise InputError("there are no references", field="reference", fix="give at least one")
    if not systems:
        raise InputError("there is no system to score", field="hypothesis", fix="give one")
    columns = {"reference": references} | ({} if sources is None else {"source": sources})
    for name, lines in columns.items():
        _check_column(name, lines, len(references))
        empty = [number for number, line in enumerate(lines, 1) if not line.strip()]
        if empty:
            raise InputError(
                f"{len(empty)} of {len(lines)} {name} lines are empty, first line {empty[0]}",
                field=name,
                fix="fill or remove them, in every file alike",
            )
    for system, lines in systems.items():
        _check_column("hypothesis", lines, len(references), system)


def _check_column(name: str, lines: Sequence[str], n: int, system: str | None = None) -> None:
    of = f" of system '{system}'" if system is not None else ""
    if isinstance(lines, str):
        raise InputError(f"the {name} column{of} is one text", field=name, fix="give a list")
    if len(lines) != n:
        raise InputError(
            f"{len(lines)} {name} lines{of} for {n} references",
            field=name,
            fix="give one line per segment, in the same order",
        )
    wrong = [number for number, line in enumerate(lines, 1) if not isinstance(line, str)]
    if wrong:
        raise InputError(
            f"{len(wrong)} of {n} {name} lines{of} are missing, first line {wrong[0]}",
            field=name,
            fix="give a text for every segment",
        )

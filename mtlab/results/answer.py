"""An answer: a question, its corrected comparison, and what else there is to say of it."""

from __future__ import annotations

from dataclasses import dataclass

from mtlab.results.question import Question
from mtlab.scoring.comparison import Comparison


@dataclass(frozen=True)
class Share:
    """How much of a difference off-target output explains, and on how many segments that rests."""

    explained: float
    kept: int
    n: int


@dataclass(frozen=True)
class Transfer:
    """What share of a score is kept, with its 95% interval; 1 is all of it."""

    ratio: float
    low: float
    high: float


@dataclass(frozen=True)
class Answer:
    """A question, its corrected comparison, and what else its sentence may tell.

    Attributes:
        question: what was asked.
        comparison: what came out.
        off_target: share of off-target output of baseline and system, 0 to 1; None if not sought.
        explained: what off-target output explains, where that can be said.
        transfer: the share kept, where that was asked.
        heights: the baseline's score in each of two directions, where those were held together.
    """

    question: Question
    comparison: Comparison
    off_target: tuple[float, float] | None = None
    explained: Share | None = None
    transfer: Transfer | None = None
    heights: tuple[float, float] | None = None

    @property
    def more(self) -> dict[str, float]:
        """The numbers beside the comparison's own."""
        more = {}
        if self.off_target is not None:
            more["baseline_off_target"], more["system_off_target"] = self.off_target
        if self.explained is not None:
            more["explained"] = self.explained.explained
            more["on_target_segments"] = float(self.explained.kept)
        if self.transfer is not None:
            more["ratio"] = self.transfer.ratio
            more["ratio_low"], more["ratio_high"] = self.transfer.low, self.transfer.high
        if self.heights is not None:
            more["first_baseline"], more["second_baseline"] = self.heights
        return more

"""What a sweep would do: how many runs it makes, how many are there, how long the rest takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mtlab.forecasting import in_words

if TYPE_CHECKING:
    from mtlab.sweeps import Sweep


@dataclass(frozen=True)
class Plan:
    """The runs of a sweep, counted.

    Attributes:
        total: how many runs it is made of.
        done: how many of them have finished in this home, under whatever name.
        seconds: the time of those still to be done for which it can be told.
        known: how many those are.
    """

    total: int
    done: int
    seconds: float
    known: int

    @property
    def left(self) -> int:
        """How many are still to be done."""
        return self.total - self.done

    @property
    def counted(self) -> str:
        """`30 runs, 9 done, 21 to do`."""
        runs = "1 run" if self.total == 1 else f"{self.total:,} runs"
        return f"{runs}, {self.done:,} done, {self.left:,} to do" if self.done else runs

    @property
    def forecast(self) -> str:
        """How long the rest takes, in a clause; empty where nothing is left."""
        if not self.left:
            return ""
        if not self.known:
            return "the time is not known, none of their bases being here"
        some = "one run" if self.known == 1 else f"{self.known:,} runs"
        of = "" if self.known == self.left else f" for the {some} of which it can be told"
        return f"about {in_words(self.seconds)}{of}"


def plan_of(sweep: Sweep) -> Plan:
    """Count a sweep's runs; launches nothing."""
    standings = sweep.standings()
    done = sum(one.state == "finished" for one in standings)
    return Plan(len(standings), done, *sweep.seconds())

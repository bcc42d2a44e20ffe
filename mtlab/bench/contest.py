"""A contest of speed: contestants do the same work in turn, and are compared lap by lap.

A machine is never quite idle, and gets slower as it warms. So no contestant does all its laps at
once: in every round each does one, beginning with another one each round, and a ratio is always of
two laps of one round. What they made is compared, too: who is fast and wrong has not won.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from mtlab.errors import MtlabError, NotAvailable


@dataclass(frozen=True)
class Lap:
    """One time through the work.

    Attributes:
        seconds: wall-clock, of the work alone: no loading, no conversion.
        work: how much was done, in the contest's unit.
        made: what came out, for comparing: texts, scores or losses.
        cpu_seconds: processor time of all threads; None where it is not known.
        peak_bytes: the most that lay in a GPU's memory at once; None where it is not known.
    """

    seconds: float
    work: float
    made: tuple[str | float, ...]
    cpu_seconds: float | None = None
    peak_bytes: int | None = None


class Contestant(Protocol):
    """One way to do the work.

    Attributes:
        name: as on the command line: `mtlab`, `hf`, `trl` ...
        how: its settings, for a table.
    """

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def how(self) -> str: ...  # noqa: D102

    def prepare(self) -> dict[str, str]:
        """Get ready, a lap of warming up included; returns the versions it runs on.

        Raises:
            NotAvailable: it cannot take part here, and why.
        """

    def lap(self) -> Lap:
        """Do the work once."""

    def close(self) -> None:
        """Free what it holds; it may be closed twice."""


Agree = Callable[[Lap, Lap], float]
"""How well what was made agrees with the reference's: the share of equals, or a difference."""


@dataclass(frozen=True)
class Standing:
    """How one contestant did.

    Attributes:
        name: of the contestant.
        how: its settings.
        rates: work per second, a value per round.
        ratios: how many times the reference's rate, a value per round.
        cpu_ratios: the same in processor time, which other work on the machine moves less.
        seconds: of its laps.
        peak_bytes: the most that lay in a GPU's memory at once; None where it is not known.
        agreement: of what it made with what the judge made.
        quality: of what it made, by the contest's own measure; None where there is none.
        versions: of the packages it ran on.
        problem: why it took no part; then all else is empty.
    """

    name: str
    how: str
    rates: tuple[float, ...] = ()
    ratios: tuple[float, ...] = ()
    cpu_ratios: tuple[float, ...] = ()
    seconds: tuple[float, ...] = ()
    peak_bytes: int | None = None
    agreement: float | None = None
    quality: float | None = None
    versions: dict[str, str] | None = None
    problem: str | None = None

    @property
    def rate(self) -> float:
        """Work per second, the median of the rounds."""
        return statistics.median(self.rates)

    @property
    def ratio(self) -> float:
        """How many times the reference's rate, the median of the rounds."""
        return statistics.median(self.ratios)

    @property
    def cpu_ratio(self) -> float:
        """The same in processor time."""
        return statistics.median(self.cpu_ratios)


def hold(
    contestants: Sequence[Contestant],
    rounds: int,
    agree: Agree,
    quality: Callable[[Lap], float] | None = None,
    *,
    judge: str | None = None,
    tell: Callable[[str], None] = lambda text: None,
) -> list[Standing]:
    """Hold a contest; the first contestant is the reference for ratios, and for agreement, too,
    where no other one is named.

    Args:
        contestants: who takes part.
        rounds: laps of each.
        agree: compares a contestant's first lap with the judge's.
        quality: what a lap's outcome is worth, such as its BLEU.
        judge: the name of the contestant with whose outcome the others' are compared.
        tell: is told what happens.

    Returns:
        A standing each, in their order. Who cannot take part, or fails in the midst of it, as for
        want of memory, has a problem instead of figures.

    Raises:
        NotAvailable: the reference itself cannot take part.
    """
    versions: dict[str, dict[str, str]] = {}
    problems: dict[str, str] = {}
    ready: list[Contestant] = []
    laps: dict[str, list[Lap]] = {}

    def leave(one: Contestant, error: MtlabError) -> None:
        if one is contestants[0]:
            raise NotAvailable(f"the reference '{one.name}'", why=str(error)) from error
        problems[one.name] = str(error)
        one.close()  # what it still holds, the others may want
        tell(f"{one.name}: not available: {error}")

    try:
        for one in contestants:
            tell(f"{one.name}: getting ready")
            try:
                versions[one.name] = one.prepare()
                ready.append(one)
            except MtlabError as error:
                leave(one, error)
        for number in range(rounds):
            turn = number % len(ready)
            for one in ready[turn:] + ready[:turn]:
                try:
                    lap = one.lap()
                except MtlabError as error:
                    leave(one, error)
                    ready.remove(one)
                    continue
                laps.setdefault(one.name, []).append(lap)
                tell(f"round {number + 1}, {one.name}: {lap.seconds:.2f} s")
    finally:
        for one in contestants:
            one.close()
    reference = laps[contestants[0].name]
    judged = laps.get(judge or "", reference)[0]
    return [
        Standing(one.name, one.how, problem=problems[one.name])
        if one.name in problems
        else replace(
            _standing(one, laps[one.name], reference, versions[one.name]),
            agreement=agree(laps[one.name][0], judged),
            quality=quality(laps[one.name][0]) if quality is not None else None,
        )
        for one in contestants
    ]


def _standing(
    one: Contestant,
    laps: Sequence[Lap],
    reference: Sequence[Lap],
    versions: dict[str, str],
) -> Standing:
    pairs = list(zip(laps, reference, strict=True))
    return Standing(
        one.name,
        one.how,
        rates=tuple(lap.work / lap.seconds for lap in laps),
        ratios=tuple((a.work / a.seconds) / (b.work / b.seconds) for a, b in pairs),
        cpu_ratios=tuple(
            (a.work / a.cpu_seconds) / (b.work / b.cpu_seconds)
            for a, b in pairs
            if a.cpu_seconds and b.cpu_seconds
        ),
        seconds=tuple(lap.seconds for lap in laps),
        peak_bytes=max((lap.peak_bytes for lap in laps if lap.peak_bytes), default=None),
        versions=versions,
    )

"""Which segments are shown, and in which order: filters, sorting, pages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mtlab.errors import InputError
from mtlab.results.side_by_side import Places, SideBySide
from mtlab.scoring.failures import FAILURES

Flags = npt.NDArray[np.bool_]

PAGE = 25
"""Segments on a page."""

ANY, NO = "any", "none"
"""In the place of a failure's name: some failure, no failure."""

LENGTHS = ("short", "medium", "long")

_RANGE = re.compile(r"\s*(\d{1,6})?\s*(?:(-|–|to)\s*(\d{1,6})?|(\+))?\s*")


@dataclass(frozen=True)
class Filter:
    """What a segment must be like to be shown.

    Attributes:
        failure: a failure's name, `any`, `none`; empty: whether it failed does not matter.
        system: the place of the system that must have failed so; None: any of them does, and with
            `none` all of them are without failure.
        length: `short`, `medium`, `long` (thirds of the segments) or a range such as `5-12`, `20+`;
            empty: any length.
        text: what must stand in source, reference or a hypothesis, in any case; empty: anything.
    """

    failure: str = ""
    system: int | None = None
    length: str = ""
    text: str = ""


@dataclass(frozen=True)
class Order:
    """How segments are sorted.

    Attributes:
        by: `test set`; `difference` between the first two, in either direction; `gain`, what the
            second has over the first; `loss`; `worst` or `best` of a system.
        system: the place of the system, for `worst` and `best`.
    """

    by: str = "test set"
    system: int = 0

    @classmethod
    def parse(cls, text: str) -> Order:
        """Read what `str` writes: `gain`, `worst:1`.

        Raises:
            InputError: it is no order.
        """
        by, _, system = text.partition(":")
        known = by in ORDERS and (system.isdecimal() if by in OF_A_SYSTEM else not system)
        if not known:
            raise InputError(f"'{text}' is no order", field="Sort by", fix="choose one of the list")
        return cls(by, int(system or 0))

    def __str__(self) -> str:
        return f"{self.by}:{self.system}" if self.by in OF_A_SYSTEM else self.by


OF_A_SYSTEM = ("worst", "best")
OF_TWO = ("difference", "gain", "loss")
ORDERS = ("test set", *OF_TWO, *OF_A_SYSTEM)


class Thirds(NamedTuple):
    """The largest length that is short, and the largest that is medium."""

    short: int
    medium: int

    def bounds(self, name: str) -> tuple[int, int | None]:
        """The shortest and the longest of `short`, `medium` or `long`; None without an end."""
        return {
            "short": (0, self.short),
            "medium": (self.short + 1, self.medium),
            "long": (self.medium + 1, None),
        }[name]


def thirds(lengths: npt.NDArray[np.int_]) -> Thirds:
    """Where lengths part into thirds as even as they go; equal ones stay together."""
    ordered = np.sort(lengths)
    n = len(ordered)
    if n == 0:
        return Thirds(0, 0)
    return Thirds(int(ordered[(n - 1) // 3]), int(ordered[2 * (n - 1) // 3]))


def length_range(text: str) -> tuple[int, int | None]:
    """Read `5-12`, `8`, `20+`, `-7`: both ends belong to it.

    Raises:
        InputError: it is no range, or its end is before its beginning.
    """
    found = _RANGE.fullmatch(text)
    low, dash, high, plus = found.groups() if found else (None,) * 4
    if found is None or (low is None and high is None):
        raise InputError(
            f"'{text}' is no length", field="Source length", fix="write a range like 5-12 or 20+"
        )
    first = int(low or 0)
    last = int(high) if high else (None if dash or plus else first)
    if last is not None and last < first:
        raise InputError(
            f"'{text}' ends before it begins",
            field="Source length",
            fix=f"write {last}-{first}",
        )
    return first, last


def matching(view: SideBySide, wanted: Filter) -> Places:
    """The places of the segments that pass a filter, in the order of the test set.

    Raises:
        InputError: a failure or a length there is not, a system that is not among those shown, or
            failures that were not looked for.
    """
    kept = np.ones(view.n, dtype=np.bool_)
    if wanted.failure:
        kept &= _failing(view, wanted)
    if wanted.length:
        kept &= of_length(view.lengths(), wanted.length)
    if wanted.text.strip():
        kept &= _with_text(view, wanted.text.strip().casefold())
    return np.flatnonzero(kept)


def failed(view: SideBySide, failure: str) -> Flags:
    """Whether each system fails so in each segment, shape (systems, n).

    Args:
        view: the segments.
        failure: a failure's name, or `any`.

    Raises:
        InputError: a system's failures were not looked for.
    """
    rows = []
    for system, segments in zip(view.systems, view.segments, strict=True):
        if segments.failures is None:
            raise InputError(
                f"nobody has looked for failures in what {system.id} translated",
                field="Failure",
                fix="show all segments, or run it again",
            )
        rows.append(
            [bool(flags) if failure == ANY else failure in flags for flags in segments.failures]
        )
    return np.array(rows, dtype=np.bool_).reshape(len(rows), view.n)


def some_failed(view: SideBySide, failure: str) -> Flags:
    """Whether any system fails so in each segment, shape (n,); arguments as `failed`."""
    return np.asarray(failed(view, failure).any(axis=0), dtype=np.bool_)


def of_length(lengths: npt.NDArray[np.int_], length: str) -> Flags:
    """Whether each length is `short`, `medium`, `long`, or in a range; raises as `length_range`."""
    low, high = thirds(lengths).bounds(length) if length in LENGTHS else length_range(length)
    kept: Flags = lengths >= low
    return kept if high is None else kept & (lengths <= high)


def ordered(view: SideBySide, places: Places, order: Order, metric: str) -> Places:
    """Places sorted; those that score the same stay in the order of the test set.

    Raises:
        InputError: it asks for a system that is not shown, or a system has no such scores.
        NotAvailable: they cannot be counted on this machine.
    """
    if order.by == "test set":
        return places
    needed = 2 if order.by in OF_TWO else order.system + 1
    if needed > len(view.systems):
        raise InputError(
            f"'{order}' needs {needed} systems",
            field="Sort by",
            fix="choose another system, or another order",
        )
    scores = view.scores(metric)[:, places]
    if order.by in OF_A_SYSTEM:
        key = scores[order.system]
        return places[np.argsort(-key if order.by == "best" else key, kind="stable")]
    gain = scores[1] - scores[0]
    key = {"difference": -np.abs(gain), "gain": -gain, "loss": gain}[order.by]
    return places[np.argsort(key, kind="stable")]


def chosen(view: SideBySide, wanted: Filter, order: Order, metric: str) -> Places:
    """The segments that pass a filter, sorted; arguments and errors as `matching`, `ordered`."""
    return ordered(view, matching(view, wanted), order, metric)


@dataclass(frozen=True)
class Page:
    """A page of places, its number from 1, and how many pages there are."""

    places: tuple[int, ...]
    number: int
    pages: int


def page_of(places: Places, number: int, size: int = PAGE) -> Page:
    """A page; one before the first or after the last is that one."""
    pages = max(1, -(-len(places) // size))
    number = min(max(number, 1), pages)
    chosen = places[(number - 1) * size : number * size]
    return Page(tuple(int(place) for place in chosen), number, pages)


def _failing(view: SideBySide, wanted: Filter) -> Flags:
    if wanted.failure not in (ANY, NO, *FAILURES):
        raise InputError(
            f"'{wanted.failure}' is no failure",
            field="Failure",
            fix=f"choose one of {', '.join(FAILURES)}",
        )
    if wanted.system is not None and not 0 <= wanted.system < len(view.systems):
        raise InputError("this system is not shown", field="Failure of", fix="choose one that is")
    failure = ANY if wanted.failure == NO else wanted.failure
    if wanted.system is None:
        found = some_failed(view, failure)
    else:
        found = failed(view, failure)[wanted.system]
    return ~found if wanted.failure == NO else found


def _with_text(view: SideBySide, text: str) -> Flags:
    columns = (view.sources, view.references, *(one.hypotheses for one in view.segments))
    return np.array(
        [any(text in line.casefold() for line in row) for row in zip(*columns, strict=True)],
        dtype=np.bool_,
    )

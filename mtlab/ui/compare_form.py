"""What a visitor has set in the Compare tab, read from its controls and checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from mtlab.errors import InputError
from mtlab.results.buckets import length_label
from mtlab.results.labels import METRICS
from mtlab.results.segments_view import (
    ANY,
    LENGTHS,
    NO,
    OF_A_SYSTEM,
    OF_TWO,
    Filter,
    Order,
    length_range,
    of_length,
)
from mtlab.results.side_by_side import SideBySide
from mtlab.scoring.failures import FAILURES

LETTERS = "ABCD"
"""What systems are called for short, in the order chosen."""

MOST_SYSTEMS = len(LETTERS)
LONGEST_TEXT = 200

ANY_LENGTH = "any, or type a range: 5-12"

REFERENCE = "reference"
"""In the place of a system: words are marked against the reference."""

Choices = list[tuple[str, str]]


@dataclass(frozen=True)
class Form:
    """How the segments are looked at.

    Attributes:
        order: how they are sorted.
        metric: of the segment scores.
        against: the place of the system whose words others are marked against; None: the
            reference's.
        wanted: which are shown.
        page: from 1.
        opened: the number of the segment that is open; None without one.
        family: the key of the family it is shown across; empty for the first one.
    """

    order: Order = field(default_factory=Order)
    metric: str = "chrf"
    against: int | None = None
    wanted: Filter = field(default_factory=Filter)
    page: int = 1
    opened: int | None = None
    family: str = ""

    @classmethod
    def read(cls, values: Sequence[Any]) -> Form:
        """Read the controls, in the order of `FIELDS`.

        Raises:
            InputError: a value that no control has: says which.
        """
        order, metric, against, failure, failing, length, text, page = values
        if metric not in METRICS:
            raise InputError(
                f"'{metric}' is no metric", field="Segment score", fix="choose one of the list"
            )
        text = str(text or "")
        if len(text) > LONGEST_TEXT:
            raise InputError(
                f"{len(text)} characters is too long",
                field="Text",
                fix=f"give {LONGEST_TEXT} at most",
            )
        return cls(
            order=Order.parse(str(order or "test set")),
            metric=metric,
            against=None
            if against == REFERENCE
            else _place(against, "Mark words that differ from"),
            wanted=Filter(
                failure=str(failure or ""),
                system=_place(failing, "Failure of"),
                length=str(length or ""),
                text=text,
            ),
            page=_page(page),
        )

    def fitting(self, view: SideBySide) -> Form:
        """The same, at its default where the systems that are shown no longer allow it."""
        count = len(view.systems)
        needed = {**dict.fromkeys(OF_TWO, 2), **dict.fromkeys(OF_A_SYSTEM, self.order.system + 1)}
        wanted = self.wanted
        if wanted.system is not None and wanted.system >= count:
            wanted = replace(wanted, system=None)
        if not _is_length(wanted.length):
            wanted = replace(wanted, length="")
        return replace(
            self,
            order=self.order if needed.get(self.order.by, 0) <= count else Order(),
            metric=self.metric if self.metric in view.metrics else view.metrics[0],
            against=self.against if self.against is None or self.against < count else None,
            wanted=wanted,
        )


FIELDS = ("order", "metric", "against", "failure", "failing", "length", "text", "page")
"""The controls that `Form.read` reads."""


def field_values(form: Form) -> dict[str, Any]:
    """The value of each control; what `Form.read` reads."""
    wanted = form.wanted
    return {
        "order": str(form.order),
        "metric": form.metric,
        "against": REFERENCE if form.against is None else str(form.against),
        "failure": wanted.failure,
        "failing": "" if wanted.system is None else str(wanted.system),
        "length": wanted.length,
        "text": wanted.text,
        "page": form.page,
    }


def field_choices(view: SideBySide, names: Sequence[str]) -> dict[str, Choices]:
    """The choices of the controls that depend on the systems and their segments."""
    lettered = [f"{letter}: {name}" for letter, name in zip(LETTERS, names, strict=False)]
    orders: Choices = [("Order of the test set", "test set")]
    if len(names) > 1:
        orders += [
            ("Largest difference between A and B", "difference"),
            ("B gains most over A", "gain"),
            ("B loses most to A", "loss"),
        ]
    for by in OF_A_SYSTEM:
        orders += [(f"{by.title()} of {name}", f"{by}:{i}") for i, name in enumerate(lettered)]
    places = [(name, str(place)) for place, name in enumerate(lettered)]
    lengths = view.lengths()
    return {
        "order": orders,
        "metric": [(f"sentence {METRICS[name]}", name) for name in view.metrics],
        "against": [("the reference", REFERENCE), *places],
        "failing": [("any system", ""), *places],
        "length": [
            (ANY_LENGTH, ""),
            *((length_label(view, one), one) for one in LENGTHS if of_length(lengths, one).any()),
        ],
    }


FAILURE_CHOICES: Choices = [
    ("all segments", ""), ("any failure", ANY), ("no failure", NO),
    *((name, name) for name in FAILURES),
]  # fmt: skip


def _is_length(text: str) -> bool:
    try:
        return text in ("", *LENGTHS) or bool(length_range(text))
    except InputError:
        return False


def _place(value: Any, name: str) -> int | None:
    """The place of a system; None where none is named."""
    if value in (None, ""):
        return None
    if str(value) not in ("0", "1", "2", "3"):
        raise InputError(f"'{value}' is no system", field=name, fix="choose one that is shown")
    return int(value)


def _page(value: Any) -> int:
    try:
        return max(1, int(value or 1))
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"'{value}' is no page", field="Page", fix="give a number") from None

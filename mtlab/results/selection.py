"""Which scores are looked at: by metric, base, corpus, sweep, test direction and run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mtlab.errors import InputError
from mtlab.results.figures.rows import in_order
from mtlab.results.labels import METRICS

if TYPE_CHECKING:
    import pandas

_FIELDS = {"base": "base", "corpus": "test_set", "group": "group"}
"""The column behind each choice of one value."""

_PARTS = {
    "metric": ("Metric", "metrics"),
    "base": ("Base model", "bases"),
    "corpus": ("Corpus", "corpora"),
    "group": ("Sweep", "groups"),
    "directions": ("Test directions", "directions"),
    "runs": ("Runs", "runs"),
}
"""What people call each part of a selection, and where its choices stand."""


@dataclass(frozen=True)
class Selection:
    """A choice of scores; what is empty is left open.

    Attributes:
        metric: one of `METRICS`.
        base: the model that runs began with.
        corpus: what they were trained and tested on, as `with_test_set` writes it.
        group: a sweep's name.
        directions: test directions.
        runs: ids.
    """

    metric: str = ""
    base: str = ""
    corpus: str = ""
    group: str = ""
    directions: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Choices:
    """What each part of a selection may be, given its other parts: nothing that does not occur.

    Attributes:
        metrics: in the order of `METRICS`.
        bases: by name.
        corpora: by name.
        groups: by name.
        directions: into English, out of English, the others.
        runs: ids, the newest first.
    """

    metrics: tuple[str, ...]
    bases: tuple[str, ...]
    corpora: tuple[str, ...]
    groups: tuple[str, ...]
    directions: tuple[str, ...]
    runs: tuple[str, ...]


def with_test_set(frame: pandas.DataFrame) -> pandas.DataFrame:
    """The table of `runs_frame` with a column `test_set`: the corpora in words, without folders."""
    names = [
        _corpora(corpus, tested)
        for corpus, tested in zip(frame["corpus"], frame["test_corpus"], strict=True)
    ]
    return frame.assign(test_set=names)


def checked(offered: Choices, selection: Selection) -> Selection:
    """The selection, if the lab has each of its values.

    Args:
        offered: everything that occurs.
        selection: as somebody asked for it.

    Raises:
        InputError: a value that no run of the lab has.
    """
    for name, (label, plural) in _PARTS.items():
        for value in _values(selection, name):
            if value not in getattr(offered, plural):
                raise InputError(
                    f"no finished run has '{value}'", field=label, fix="choose one of the list"
                )
    return selection


def still_there(offered: Choices, selection: Selection) -> Selection:
    """The selection without values that no run of the lab has any more.

    Args:
        offered: everything that occurs.
        selection: as it was when they occurred.
    """
    kept = {
        name: tuple(value for value in _values(selection, name) if value in getattr(offered, many))
        for name, (_, many) in _PARTS.items()
    }
    alone = {name: "".join(kept[name]) for name in ("metric", *_FIELDS)}
    return Selection(**alone, directions=kept["directions"], runs=kept["runs"])


def chosen(frame: pandas.DataFrame, selection: Selection) -> pandas.DataFrame:
    """The rows of every metric that a selection leaves, its metric aside.

    Args:
        frame: from `with_test_set`.
        selection: from `checked`.
    """
    return _without(frame, selection, "")


def choices(frame: pandas.DataFrame, selection: Selection) -> Choices:
    """What else could be chosen.

    Args:
        frame: from `with_test_set`.
        selection: from `checked`.
    """
    found = {
        name: tuple(sorted(_without(frame, selection, name)[column].dropna().unique()))
        for name, column in _FIELDS.items()
    }
    return Choices(
        metrics=_metrics(chosen(frame, selection)),
        bases=found["base"],
        corpora=found["corpus"],
        groups=found["group"],
        directions=tuple(in_order(_without(frame, selection, "directions")["direction"])),
        runs=tuple(sorted(_without(frame, selection, "runs")["id"].unique(), reverse=True)),
    )


def _without(frame: pandas.DataFrame, selection: Selection, part: str) -> pandas.DataFrame:
    """What a selection leaves when one part of it is open."""
    kept = frame
    for name, column in _FIELDS.items():
        value = getattr(selection, name)
        if value and name != part:
            kept = kept[kept[column] == value]
    if selection.directions and part != "directions":
        kept = kept[kept["direction"].isin(selection.directions)]
    if selection.runs and part != "runs":
        kept = kept[kept["id"].isin(selection.runs)]
    return kept


def _metrics(frame: pandas.DataFrame) -> tuple[str, ...]:
    there = set(frame["metric"].unique())
    return tuple(metric for metric in METRICS if metric in there)


def _corpora(corpus: str, tested: str) -> str:
    names = [_short(one) for one in dict.fromkeys((corpus, tested))]
    return ", tested on ".join(names)


def _short(corpus: str) -> str:
    return Path(corpus).name if Path(corpus).is_absolute() else corpus


def _values(selection: Selection, name: str) -> tuple[str, ...]:
    value = getattr(selection, name)
    return value if isinstance(value, tuple) else ((value,) if value else ())

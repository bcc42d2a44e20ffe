"""A home's finished runs, ready to be looked at: read once, and again only what has changed.

Everything is kept by what it was made from, so that a second visitor, or a second visit, pays
nothing: the scores of each run by the time its scores were written, tables and plots by the set of
runs and the selection, findings by the runs, the directions and the metric.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from mtlab.results.apart import findings_apart
from mtlab.results.conditions import conditions
from mtlab.results.evidence import Evidence
from mtlab.results.figures import Plot, plots
from mtlab.results.findings import Finding
from mtlab.results.labels import METRICS
from mtlab.results.once import Once
from mtlab.results.questions import questions
from mtlab.results.reading import read_scores
from mtlab.results.report import Report, title_of
from mtlab.results.selection import (
    Choices,
    Selection,
    checked,
    choices,
    chosen,
    still_there,
    with_test_set,
)
from mtlab.results.table import frame_of, over_seeds, rows_of
from mtlab.runs.store import RunRecord, RunStore

if TYPE_CHECKING:
    import pandas

MOST_COMPARISONS = 400
"""Differences that are tested while somebody waits. More resamples are needed the more there are:
time and memory grow with the square."""


@dataclass(frozen=True)
class Drawing:
    """How plots are drawn.

    Attributes:
        at: the training size of all plots but the one against size; None draws all sizes.
        lines: one of `mtlab.results.figures.LINES`; empty leaves it to their number.
    """

    at: int | None = None
    lines: str = ""


@dataclass(frozen=True)
class View:
    """What a selection leaves of a home's finished runs.

    Attributes:
        stamp: changes when a run of the home was added, removed or scored again.
        runs_stamp: the same of these runs alone.
        selection: with its metric chosen.
        choices: what else could be chosen.
        records: the runs, the newest first.
        missing: per metric that some run asked for and none has, why.
        frame: their scores under every metric, as from `runs_frame`.
        total: finished runs of the home.
    """

    stamp: str
    runs_stamp: str
    selection: Selection
    choices: Choices
    records: tuple[RunRecord, ...]
    missing: Mapping[str, str] = field(compare=False)
    frame: pandas.DataFrame = field(compare=False, repr=False)
    total: int = 0

    @property
    def metric(self) -> str:
        """The metric that is looked at."""
        return self.selection.metric

    @property
    def scores(self) -> pandas.DataFrame:
        """The scores under the metric that is looked at."""
        return self.frame[self.frame["metric"] == self.metric]

    @property
    def sizes(self) -> tuple[int, ...]:
        """The training sizes of the runs that were trained."""
        trained = self.scores[self.scores["train"] != ""]
        return tuple(sorted(int(size) for size in trained["size"].unique()))

    @property
    def key(self) -> tuple[str, Selection]:
        """What is shown of it is the same while this is."""
        return self.stamp, self.selection

    @property
    def findings_key(self) -> tuple[str, tuple[str, ...], str]:
        """What its runs show is the same while this is: other runs may come and go."""
        return self.runs_stamp, self.selection.directions, self.metric


@dataclass(frozen=True)
class _Home:
    """Every finished run of the home as it was when `stamp` was taken."""

    stamp: str
    finished: Mapping[str, tuple[RunRecord, int]]
    missing: Mapping[str, str]
    frame: pandas.DataFrame
    offered: Choices


class Board:
    """The finished runs of one home. Any number of threads may look at once.

    Args:
        store: the home's runs.
    """

    def __init__(self, store: RunStore) -> None:
        self._store = store
        self._rows: dict[str, tuple[int, list[dict[str, Any]], dict[str, str]]] = {}
        self._homes: Once[_Home] = Once(1)
        self._views: Once[View] = Once(16)
        self._plots: Once[dict[str, Plot]] = Once(32)
        self._counts: Once[int] = Once(256)
        self._findings: Once[tuple[Finding, ...]] = Once(256)
        self._testing = threading.Lock()

    def view(self, selection: Selection) -> View:
        """What a selection leaves.

        Raises:
            InputError: a value that no finished run has.
        """
        home = self._home()
        return self._views.get((home.stamp, selection), lambda: _view(home, selection))

    def still_there(self, selection: Selection) -> Selection:
        """The selection without values that no finished run has any more."""
        return still_there(self._home().offered, selection)

    def plots(self, view: View, drawing: Drawing) -> Mapping[str, Plot]:
        """The plots that a view makes possible, by name."""
        return self._plots.get(
            (view.key, drawing),
            lambda: {
                plot.name: plot
                for plot in plots(view.frame, view.metric, at=drawing.at, lines=drawing.lines)
            },
        )

    def comparisons(self, view: View) -> int:
        """How many differences a view's runs can be asked for."""
        return self._counts.get(view.findings_key, lambda: self._count(view))

    def known_findings(self, view: View) -> tuple[Finding, ...] | None:
        """The findings, if somebody has asked for them before; None else."""
        return self._findings.peek(view.findings_key)

    def findings(self, view: View) -> tuple[Finding, ...]:
        """What the runs of a view show, in its directions; may take a minute.

        Empty where there are more than `MOST_COMPARISONS`.

        Raises:
            NotAvailable: they could not be made.
        """
        return self._findings.get(view.findings_key, lambda: self._test(view))

    def tables(self, view: View) -> Report:
        """A view's report without findings, for the renderings that hold numbers alone."""
        records = tuple(sorted(view.records, key=lambda record: record.id))
        return Report(
            title=title_of(records),
            metric=view.metric,
            records=records,
            frame=view.frame.drop(columns="test_set"),
            means=over_seeds(view.frame),
            findings=(),
            plots=tuple(self.plots(view, Drawing()).values()),
        )

    def report(self, view: View) -> Report:
        """The whole of a view, to be written in any rendering; waits for its findings.

        Raises:
            NotAvailable: the findings could not be made.
        """
        count = self.comparisons(view)
        untested = too_many(count) if count > MOST_COMPARISONS else ""
        return replace(self.tables(view), findings=self.findings(view), untested=untested)

    def _finished(self) -> list[tuple[RunRecord, int]]:
        """The finished runs, the newest first, each with the time its scores were written."""
        found = []
        for record in self._store.list():
            status = self._store.written_status(record.id)
            if status is None or status.state != "finished":
                continue
            try:
                found.append((record, (record.folder / "scores.json").stat().st_mtime_ns))
            except OSError:
                continue
        return found

    def _home(self) -> _Home:
        finished = self._finished()
        return self._homes.get(_stamp(finished), lambda: self._read(finished))

    def _read(self, finished: Sequence[tuple[RunRecord, int]]) -> _Home:
        rows: list[dict[str, Any]] = []
        missing: dict[str, str] = {}
        for record, written in finished:
            known = self._rows.get(record.id)
            if known is None or known[0] != written:
                known = (written, list(rows_of(record)), _missing(record))
                self._rows[record.id] = known
            rows += known[1]
            missing = {**known[2], **missing}
        there = {record.id: (record, written) for record, written in finished}
        self._rows = {run: kept for run, kept in self._rows.items() if run in there}
        frame = with_test_set(frame_of(rows))
        return _Home(_stamp(finished), there, missing, frame, choices(frame, Selection()))

    def _count(self, view: View) -> int:
        grouped = conditions(_evidence(view), self._store.settings)
        return len(questions(grouped, view.metric))

    def _test(self, view: View) -> tuple[Finding, ...]:
        if not 0 < self.comparisons(view) <= MOST_COMPARISONS:
            return ()
        with self._testing:  # one at a time: a run may be training beside it
            return findings_apart(_evidence(view), self._store.settings, view.metric)


def too_many(comparisons: int) -> str:
    """Why differences are not tested, and what to do, in a sentence."""
    return (
        f"{comparisons:,} differences could be tested among these runs, too many to wait for "
        f"(at most {MOST_COMPARISONS}): choose a sweep, a base, test directions or fewer runs."
    )


def _view(home: _Home, wanted: Selection) -> View:
    selection = checked(home.offered, wanted)
    frame = chosen(home.frame, selection)
    offered = choices(home.frame, selection)
    if not selection.metric and offered.metrics:
        selection = replace(selection, metric=offered.metrics[0])
    finished = [home.finished[run] for run in sorted(frame["id"].unique(), reverse=True)]
    return View(
        stamp=home.stamp,
        runs_stamp=_stamp(finished),
        selection=selection,
        choices=offered,
        records=tuple(record for record, _ in finished),
        missing={name: why for name, why in home.missing.items() if name not in offered.metrics},
        frame=frame,
        total=len(home.finished),
    )


def _evidence(view: View) -> list[Evidence]:
    """The runs with the directions that are looked at, the oldest first."""
    wanted = view.selection.directions
    found = []
    for record in reversed(view.records):
        tested = [one for one in record.spec.tested if not wanted or str(one) in wanted]
        spec = record.spec.model_copy(update={"test": tuple(tested)})
        found.append(Evidence(record.id, spec, record.folder))
    return found


def _missing(record: RunRecord) -> dict[str, str]:
    """Per metric that was asked for and could not be had, why."""
    return {
        metric: "; ".join(part for part in (score.get("why"), score.get("fix")) if part)
        for values in read_scores(record.folder)["scores"].values()
        for metric, score in values.items()
        if metric in METRICS and score.get("available") is False
    }


def _stamp(finished: Sequence[tuple[RunRecord, int]]) -> str:
    text = " ".join(f"{record.id}:{written}" for record, written in finished)
    return hashlib.sha256(text.encode()).hexdigest()[:16]

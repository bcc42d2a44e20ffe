"""A report on runs: one self-contained HTML page that opens without a network.

The same report has other renderings (`mtlab.results.exports`); all are made from the same table and
the same findings, so that they cannot disagree.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtlab.commands import command_for
from mtlab.errors import InputError
from mtlab.results.evidence import Evidence
from mtlab.results.exports import csv_text, json_text, latex_table, score_grid
from mtlab.results.figures import (
    Plot,
    comparable,
    paper_size_plot,
    paper_transfer_plot,
    plots,
)
from mtlab.results.findings import Finding, findings
from mtlab.results.labels import METRICS
from mtlab.results.reading import read_segments
from mtlab.results.table import over_seeds, runs_frame
from mtlab.results.topics import sections
from mtlab.runs.files import read_json
from mtlab.runs.store import RunRecord
from mtlab.settings import ASSETS, Settings

if TYPE_CHECKING:
    import pandas

SEGMENTS_SHOWN = 20
"""Segments of each direction that a report on a single run shows."""

MOST_OPEN = 8
"""Sentences of a section, or commands, that stand open; the rest is folded."""

_TEMPLATE = Path(__file__).with_name("report.html.jinja")


@dataclass(frozen=True)
class Report:
    """Everything a rendering needs.

    Attributes:
        title: for people.
        metric: the metric of plots and findings.
        records: the runs, the oldest first.
        frame: from `runs_frame`.
        means: from `over_seeds`.
        findings: what the runs show.
        plots: what can be drawn.
        untested: why differences were not tested; empty where they were.
    """

    title: str
    metric: str
    records: tuple[RunRecord, ...]
    frame: pandas.DataFrame
    means: pandas.DataFrame
    findings: tuple[Finding, ...]
    plots: tuple[Plot, ...]
    untested: str = ""

    @property
    def signatures(self) -> tuple[str, ...]:
        """Every signature behind the metric's numbers."""
        chosen = self.frame[self.frame["metric"] == self.metric]
        return tuple(dict.fromkeys(chosen["signature"]))

    def csv(self) -> str:
        """A row per run, system, direction and metric."""
        return csv_text(self.frame)

    def json(self) -> str:
        """The same rows, and the findings."""
        return json_text(self.frame, self.findings)

    def latex(self) -> str:
        """Conditions down, test directions across."""
        return latex_table(self.means, self.metric, self.signatures)

    def html(self) -> str:
        """The page; Plotly's JavaScript, some 4.5 MB, is in it."""
        from jinja2 import Environment
        from plotly.offline import get_plotlyjs

        shown = list(_beside_the_paper(self))
        environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
        template = environment.from_string(_TEMPLATE.read_text(encoding="utf-8"))
        return template.render(
            report=self,
            metric=METRICS[self.metric],
            grid=score_grid(self.means, self.metric),
            plots=shown,
            figures=[_for_script(plot.figure) for plot in shown],
            segments=_segments(self.records) if len(self.records) == 1 else {},
            sections=list(sections(self.findings)),
            most_open=MOST_OPEN,
            commands=[command_for(record.spec) for record in self.records],
            versions=_versions(self.records),
            plotly_js=get_plotlyjs() if self.plots else "",
            fit_js=(ASSETS / "fit_figure.js").read_text(encoding="utf-8"),
        )


def make_report(
    records: Sequence[RunRecord],
    settings: Settings,
    *,
    metric: str = "bleu",
    title: str = "",
) -> Report:
    """Put a report together.

    Args:
        records: runs that have scores; others are left out.
        settings: the lab's.
        metric: `bleu`, `chrf`, `comet` or `gated-comet`: what plots and findings are about.
        title: for people; made from the runs when not given.

    Raises:
        InputError: none of the runs has scores, or none has this metric.
    """
    if metric not in METRICS:
        raise InputError(
            f"'{metric}' is not a metric", field="metric", fix=f"use {', '.join(METRICS)}"
        )
    ordered = sorted(records, key=lambda record: record.id)
    frame = runs_frame(ordered)
    if frame.empty:
        raise InputError(
            "none of these runs has scores", field="id", fix="name runs that have finished"
        )
    if not (frame["metric"] == metric).any():
        raise InputError(
            f"none of these runs has {METRICS[metric]}",
            field="metric",
            fix=f"use {' or '.join(sorted(set(frame['metric'])))}",
        )
    scored = set(frame["id"])
    kept = tuple(record for record in ordered if record.id in scored)
    # Two sweeps may have made the seeds of one condition between them.
    means = over_seeds(frame.assign(group=""))
    evidence = [Evidence(record.id, record.spec, record.folder) for record in kept]
    return Report(
        title=title or title_of(kept),
        metric=metric,
        records=kept,
        frame=frame,
        means=means,
        findings=tuple(findings(evidence, settings, (metric,))),
        plots=tuple(plots(frame, metric)),
    )


def title_of(records: Sequence[RunRecord]) -> str:
    """What a report on these runs is called, where nobody said."""
    if len(records) == 1:
        return f"Run {records[0].spec.name or records[0].id}"
    groups = {record.spec.group for record in records}
    if len(groups) == 1 and (group := groups.pop()):
        return f"{group}, {len(records)} runs"
    return f"{len(records)} runs"


def _beside_the_paper(report: Report) -> Iterator[Plot]:
    """The plots, the paper's own behind those that it has one for."""
    for plot in report.plots:
        yield plot
        if plot.name == "size" and not comparable(report.metric, report.signatures):
            yield paper_size_plot()
        if plot.name == "transfer":
            yield paper_transfer_plot()


def _versions(records: Sequence[RunRecord]) -> list[str]:
    """What the runs were made with, each once."""
    found: dict[str, None] = {}
    for record in records:
        made = (read_json(record.folder / "provenance.json") or {}).get("versions") or {}
        found[", ".join(f"{name} {version}" for name, version in made.items())] = None
    return [one for one in found if one]


def _segments(records: Sequence[RunRecord]) -> dict[str, list[dict[str, Any]]]:
    record = records[0]
    return {
        str(direction): read_segments(record.folder, direction)[:SEGMENTS_SHOWN]
        for direction in record.spec.tested
    }


def _for_script(figure: dict[str, Any]) -> str:
    """JSON that cannot end the script element it stands in."""
    return json.dumps(figure).replace("<", "\\u003c")

"""The Results tab in words: what is looked at, findings as sentences, the runs behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mtlab.results.board import MOST_COMPARISONS, View, too_many
from mtlab.results.findings import Finding
from mtlab.results.headlines import Headlines
from mtlab.results.labels import METRICS, digits
from mtlab.runs.store import RunRecord
from mtlab.ui.markup import escape, notice, table

READING = "Reading the finished runs ..."
EMPTY = "No run has finished yet: launch one, and what it shows appears here."
NO_MATCH = "No finished run has all of this: open one of the filters again."

_FIRST = 4  # sentences that stand above a plot; the others are folded away
_MOST_LISTED = 100

EXPLAINED = (
    "Differences are tested over segments, and over seeds where there are several; p-values are "
    "corrected for all {compared} comparisons made here (Holm). No difference found does not mean "
    "that there is none."
)


def overview_html(view: View) -> str:
    """What is looked at: runs, seeds, segments, signatures; and why a metric is missing."""
    scores = view.scores
    own = scores[scores["system"] == "run"]
    if own.empty:
        return notice(NO_MATCH)
    seeds, segments = sorted(set(own["seed"])), sorted(set(own["n"]))
    count = own["id"].nunique()
    least, most = (f"{n:,}" for n in (segments[0], segments[-1]))
    parts = [
        _counted(count, "finished run"),
        f"seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, seeds[:8]))}",
        _counted(own["direction"].nunique(), "test direction"),
        f"{least if least == most else f'{least} to {most}'} segments each",
    ]
    lines = [f'<p class="results-what">{escape("; ".join(parts))}.</p>']
    signatures = list(dict.fromkeys(own["signature"]))
    said = "; ".join(signatures[:3]) + (f"; and {len(signatures) - 3} more" * (len(signatures) > 3))
    lines.append(f'<p class="signature">{escape(f"{METRICS[view.metric]}: {said}")}</p>')
    for metric, why in view.missing.items():
        text = f"{METRICS[metric]} is not available: {why}"
        lines.append(f'<p class="signature">{escape(text)}</p>')
    return "".join(lines)


def findings_html(part: Headlines, records: Mapping[str, RunRecord]) -> str:
    """The findings of one plot: the telling ones, the others folded away."""
    if not len(part):
        return ""
    shown, more = part.found[:_FIRST], part.found[_FIRST:]
    text = _listed(shown, records) if shown else ""
    if not shown:
        text = f"<p>No difference was found in {_counted(len(part.nothing), 'comparison')}.</p>"
    if more:
        text += _folded(f"{len(more)} more", more, records)
    if part.nothing:
        summary = f"{_counted(len(part.nothing), 'comparison')} in which no difference was found"
        text += _folded(summary, part.nothing, records)
    return f'<div class="findings">{text}</div>'


def other_findings_html(part: Headlines, records: Mapping[str, RunRecord]) -> str:
    """The findings that no plot shows, under a heading; empty without any."""
    found = findings_html(part, records)
    return f"<h2>Also found</h2>{found}" if found else ""


def waiting_html() -> str:
    """What stands in place of findings that are being made."""
    return '<p class="quiet" role="status">testing differences ...</p>'


def none_html(comparisons: int) -> str:
    """Why there are no findings, of so many comparisons."""
    if comparisons > MOST_COMPARISONS:
        return f'<p class="quiet">{escape(too_many(comparisons))}</p>'
    text = "No two of these runs differ in one thing alone, so nothing is compared."
    return f'<p class="quiet">{text}</p>'


def tested_html(findings: Sequence[Finding]) -> str:
    """How the findings were made; empty without any."""
    if not findings:
        return ""
    text = EXPLAINED.format(compared=f"{findings[0].comparison.compared:,}")
    return f'<p class="quiet">{escape(text)}</p>'


def runs_html(view: View) -> str:
    """The runs as a table whose rows can be opened, and two to four compared."""
    own = view.scores[view.scores["system"] == "run"]
    means = own.groupby("id")["value"].mean()
    listed = [record for record in view.records if record.id in means.index]
    form = f".{digits(view.metric)}f"
    rows = []
    for record in listed[:_MOST_LISTED]:
        spec = record.spec
        noise = f"{spec.noise.kind}, {spec.noise.side}" if spec.noise.active else "clean"
        cells = (
            spec.base, spec.amount, spec.learns_from, noise, str(spec.seed), spec.group or "",
            f"{means[record.id]:{form}}",
        )  # fmt: skip
        rows.append((_tick(record), _open(record), *map(escape, cells)))
    if not rows:
        return ""
    average = f"{METRICS[view.metric]}, mean over directions"
    headers = ("", "Run", "Base", "Amount", "Trained on", "Training", "Seed", "Sweep", average)
    caption = "The runs behind these results; open one, or tick two to four and compare them"
    if len(listed) > _MOST_LISTED:
        caption += f". The newest {_MOST_LISTED} of {len(listed):,}"
    compare = '<button type="button" data-chosen="1">Compare the ticked runs</button>'
    return table(headers, rows, caption=caption, css_class="numbers runs-behind") + compare


def _listed(findings: Sequence[Finding], records: Mapping[str, RunRecord]) -> str:
    items = "".join(f"<li>{escape(one.sentence)} {_compare(one, records)}</li>" for one in findings)
    return f"<ul>{items}</ul>"


def _folded(summary: str, findings: Sequence[Finding], records: Mapping[str, RunRecord]) -> str:
    listed = _listed(findings, records)
    return f"<details><summary>{escape(summary)}</summary>{listed}</details>"


def _counted(count: int, things: str) -> str:
    return f"{count:,} {things}{'s' if count != 1 else ''}"


def _compare(finding: Finding, records: Mapping[str, RunRecord]) -> str:
    """A button that shows a run of each side, segment by segment."""
    sides = [run for run in dict.fromkeys((finding.runs[0], finding.runs[-1])) if run in records]
    if not sides:
        return ""
    return (
        f'<button type="button" class="inline" data-compare="{escape(" ".join(sides))}" '
        f'aria-label="Show the segments behind: {escape(finding.sentence)}">segments</button>'
    )


def _tick(record: RunRecord) -> str:
    name = escape(f"Choose run {record.id} to compare")
    return f'<input type="checkbox" data-run="{escape(record.id)}" aria-label="{name}">'


def _open(record: RunRecord) -> str:
    return (
        f'<button type="button" class="inline" data-open="{escape(record.id)}">'
        f"{escape(record.name)}</button>"
    )

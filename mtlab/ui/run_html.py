"""The open run as HTML: what it is, how it stands, what went wrong, its samples, its provenance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mtlab.forecasting import in_words
from mtlab.results.labels import spec_label
from mtlab.results.seen import SeenRun
from mtlab.runs.devices import LENT
from mtlab.runs.status import PHASES, Phase, Status
from mtlab.runs.training_log import TrainingLog, thinned
from mtlab.spec import RunSpec
from mtlab.ui.clicks import button
from mtlab.ui.markup import difference, escape, notice, table, text_block

_PHASES: dict[Phase, str] = {
    "prepare": "prepare the data",
    "load": "load the model",
    "base": "let the untuned model translate",
    "train": "train",
    "decode": "translate the test set",
    "score": "score",
}
_TABLE_ROWS = 40  # steps that the table under the chart shows at most


def head_html(run: SeenRun, seeds: Sequence[SeenRun]) -> str:
    """The run's name and what it is; where there are other seeds of it, a way to each.

    Args:
        run: the open run.
        seeds: the runs that differ in their seed alone, itself among them, by seed.
    """
    spec = run.spec
    title = escape(spec.name or spec_label(spec))
    parts = [spec_label(spec)] if spec.name else []
    parts += [f"method {spec.training.method}", f"corpus {spec.corpus}", f"seed {spec.seed}"]
    parts += [f"sweep {spec.group}"] if spec.group else []
    parts += [f"launched by {run.status.owner}"] if run.status.owner else []
    text = (
        f'<h3 tabindex="-1" dir="auto">{title}</h3>'
        f'<p class="quiet" dir="auto">{escape(", ".join(parts))}<br><code>{run.id}</code></p>'
    )
    if len(seeds) < 2:
        return text
    steps = "".join(
        button(
            f"seed {one.spec.seed}",
            "open",
            one.id,
            label=f"Open the run of seed {one.spec.seed}, {one.status.state}",
            css_class=f"chip {one.status.state}",
            more=' aria-current="true"' if one.id == run.id else "",
        )
        for one in seeds
    )
    return f'{text}<div class="chips" role="group" aria-label="Seeds of this run">{steps}</div>'


def state_html(
    spec: RunSpec,
    status: Status,
    log: TrainingLog,
    *,
    stopping: bool,
    place: int,
    left: str,
    told: str = "",
) -> str:
    """State, progress, phases, and what the machine does.

    Args:
        spec: the run's.
        status: how it stands.
        log: what training has said.
        stopping: it was asked to end and has not yet.
        place: its place among the queued, from 1; 0 when it is not.
        left: the time it still takes, in words; empty when not known.
        told: what had been forecast, in words; empty when not known, or not over.
    """
    percent = round(100 * status.progress)
    said: str = "stopping" if stopping else status.state
    if status.state == "queued":
        said += f", number {place} in the queue" if place else ""
        said += ", until its owner lends a GPU" if status.wants == LENT else ""
    details = [status.detail] if status.state == "running" else []
    details += [left, *_machine(status, log), told]
    bar = (
        f'<progress max="100" value="{percent}" aria-label="progress"></progress> {percent}%'
        if status.state not in ("queued", "finished")
        else ""
    )
    return (
        f'<div class="run-state {escape(status.state)}"><p><b>{escape(said)}</b> {bar}</p>'
        f"{_phases_html(spec, status)}"
        f'<p class="quiet">{escape("; ".join(part for part in details if part))}</p></div>'
        + "".join(notice(text) for text in log.notes)
    )


def _machine(status: Status, log: TrainingLog) -> Iterator[str]:
    last = log.steps[-1] if log.steps else {}
    if status.device:
        yield f"on {status.device}"
    memory = last.get("memory_mb") if status.state == "running" else status.memory_mb
    if memory:
        peak = "" if status.state == "running" else "at most "
        yield f"{peak}{memory:,.0f} MB of memory"
    if last.get("tokens_per_second"):
        yield f"{last['tokens_per_second']:,.0f} target tokens/s"
    if status.is_over and status.seconds:
        yield f"took {in_words(sum(status.seconds.values()))}"


def _phases_html(spec: RunSpec, status: Status) -> str:
    """The phases in their order, with the seconds of those that are done."""
    if status.phase is None:
        return ""
    items = []
    for phase in PHASES:
        now = phase == status.phase and not status.is_over
        seconds = status.seconds.get(phase)
        if not now and seconds is None and not (spec.training.trains or phase != "train"):
            continue
        time = f" <small>{seconds:.1f} s</small>" if seconds is not None and not now else ""
        current = ' aria-current="step"' if now else ""
        kind = "now" if now else ("done" if seconds is not None else "open")
        items.append(f'<li class="{kind}"{current}>{_PHASES[phase]}{time}</li>')
    return f'<ol class="phases" aria-label="Phases">{"".join(items)}</ol>'


def error_html(status: Status) -> str:
    """What went wrong, why, and what to do, a line each; empty without an error."""
    error = status.error or {}
    names = {"what": "What happened", "why": "Why", "fix": "What to do"}
    lines = "".join(
        f"<dt>{name}</dt><dd>{escape(text)}</dd>"
        for key, name in names.items()
        if (text := error.get(key))
    )
    return f'<dl class="notice problem" role="alert">{lines}</dl>' if lines else ""


def chart_table_html(log: TrainingLog) -> str:
    """The chart's numbers as a table."""
    if not log.steps:
        return notice("Nothing was trained yet.")
    quality = {probe["step"]: probe for probe in log.probes}
    shown = {row["step"]: row for row in thinned(log.steps, _TABLE_ROWS)}
    shown |= {row["step"]: row for row in log.steps if row["step"] in quality}
    rows = [
        (
            f"{step:,}",
            f"{row['loss']:.3f}",
            f"{quality[step]['chrf']:.1f}" if step in quality else "",
        )
        for step, row in sorted(shown.items())
    ]
    return table(
        ("Step", "Loss", "chrF"),
        rows,
        caption=f"{len(rows)} of {len(log.steps):,} steps; chrF on the probe set",
        css_class="numbers",
    )


def samples_html(samples: Mapping[int, Sequence[Mapping[str, Any]]], step: int | None) -> str:
    """The sample translations after a step; marked is what is new since the step before."""
    if step is None:
        return ""
    earlier = [one for one in sorted(samples) if one < step]
    before = {
        (sample["direction"], sample["source"]): sample["hypothesis"]
        for sample in (samples[earlier[-1]] if earlier else ())
    }
    rows = []
    for sample in samples[step]:
        old = before.get((sample["direction"], sample["source"]))
        now = sample["hypothesis"]
        said = text_block(now) if old is None else _changed(now, old)
        rows.append(
            (
                escape(str(sample["direction"])),
                text_block(sample["source"]),
                said,
                text_block(sample["reference"]),
            )
        )
    since = f"; marked is what changed since step {earlier[-1]}" if earlier else ""
    return table(
        ("Direction", "Source", "Translation then", "Reference"),
        rows,
        caption=f"Sample translations after step {step} of training{since}",
        css_class="segments",
    )


def _changed(now: str, before: str) -> str:
    return f'<div dir="auto">{difference(now, before)}</div>'


def provenance_html(provenance: Mapping[str, Any]) -> str:
    """Versions, seeds, digests and the rest, a line each."""
    if not provenance:
        return notice("Nothing is known of it yet.")
    rows = [
        (escape(name), f'<code dir="auto">{escape(value)}</code>')
        for name, value in _facts(provenance)
    ]
    return table(("Fact", "Value"), rows, caption="From provenance.json", css_class="facts")


def _facts(data: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    for name, value in data.items():
        said = f"{above}{str(name).replace('_', ' ')}"
        if isinstance(value, Mapping):
            yield from _facts(value, f"{said}: ")
        elif isinstance(value, list):
            yield said, ", ".join(map(str, value)) or "none"
        else:
            yield said, "not known" if value is None else str(value)

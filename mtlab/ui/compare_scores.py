"""What stands above the segments of the Compare tab: scores, significance, where they come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mtlab.results.buckets import FEW, Bucket
from mtlab.results.contrasts import Contrasts
from mtlab.results.labels import METRICS, base_label, digits
from mtlab.results.phrases import number
from mtlab.results.reading import read_scores
from mtlab.results.systems import System, noise_label
from mtlab.results.wording import contrast
from mtlab.scoring.agreement import Agreement
from mtlab.scoring.comparison import Comparison
from mtlab.spec import Direction
from mtlab.ui.compare_cells import marked_system
from mtlab.ui.compare_form import LETTERS
from mtlab.ui.markup import escape, notice, table
from mtlab.ui.scores import failed_cell, reproduced_by, score_cell


def scores_table(systems: Sequence[System], names: Sequence[str], direction: Direction) -> str:
    """Corpus scores of each system with intervals, its failures, and what makes them again."""
    found = [_scores_of(system, direction) for system in systems]
    metrics = [metric for metric in METRICS if any(metric in values for values in found)]
    rows, notes = [], []
    for place, (system, name, values) in enumerate(zip(systems, names, found, strict=True)):
        cells = []
        for metric in metrics:
            score = values.get(metric) or {"available": False, "why": "it was not asked for"}
            if score.get("available") is False:
                notes.append(
                    f"{METRICS[metric]} of {LETTERS[place]} is not available: {score['why']}"
                )
            else:
                notes.append(f"{METRICS[metric]}: {reproduced_by(score)}")
            cells.append(score_cell(metric, score))
        rows.append((_system_cell(place, system, name), *cells, failed_cell(values)))
    grid = table(
        ("System", *(METRICS[metric] for metric in metrics), "Failed segments"),
        rows,
        caption=f"{direction}: corpus scores with 95% bootstrap intervals over segments",
        css_class="numbers",
    )
    return grid + "".join(
        f'<p class="signature">{escape(line)}</p>' for line in dict.fromkeys(notes)
    )


def _scores_of(system: System, direction: Direction) -> Mapping[str, Any]:
    part = "base" if system.untuned else "scores"
    values: Mapping[str, Any] = read_scores(system.run.folder)[part].get(str(direction)) or {}
    return values


def _system_cell(place: int, system: System, name: str) -> str:
    spec, run = system.run.spec, system.run.id
    link = f'<button type="button" class="link" data-run="{escape(run)}">{escape(run)}</button>'
    if system.untuned:
        return f'{marked_system(place, name)}<div class="details">as scored beside run {link}</div>'
    parts = [base_label(spec.base), spec.amount, " ".join(map(str, spec.train))]
    parts += [noise_label(spec.noise)] if spec.noise.active else []
    details = ", ".join(part for part in (*parts, f"seed {spec.seed}") if part)
    return f'{marked_system(place, name)}<div class="details">{escape(details)}, run {link}</div>'


def contrasts_html(found: Contrasts, names: Sequence[str], direction: Direction) -> str:
    """Every system against the first: sentences, then the numbers they rest on.

    Args:
        found: what was compared.
        names: of the systems, the first one's first.
        direction: in which they were tested.
    """
    sentences = "".join(f"<li>{escape(contrast(one, direction))}</li>" for one in found.comparisons)
    rows = [_contrast_row(one, names) for one in found.comparisons]
    if not rows:
        return notice(" ".join(["Nothing could be compared.", *found.missing.values()]))
    grid = table(
        ("Against A", "Metric", "Difference", "95% interval", "p (Holm)", "Seeds", "To people"),
        rows,
        caption=f"Paired bootstrap over {found.comparisons[0].n:,} segments: every system minus A, "
        "in the same resamples",
        css_class="numbers",
    )
    signatures = dict.fromkeys(one.signature for one in found.comparisons)
    notes = dict.fromkeys(note for one in found.comparisons for note in one.notes)
    sources = dict.fromkeys(
        one.meaning.source for one in found.comparisons if isinstance(one.meaning, Agreement)
    )
    lines = [f"Significance: {signature}" for signature in signatures]
    lines += [f"Note: {note}" for note in notes]
    lines += [
        "To people: how often people prefer the system that the metric prefers, at a difference "
        f"of this size between systems people use; {source}. A small model lies outside of it"
        for source in sources
    ]
    lines += [f"{METRICS[metric]}: {why}" for metric, why in found.missing.items()]
    return (
        f'<ul class="findings">{sentences}</ul>{grid}'
        + "".join(f'<p class="signature">{escape(line)}</p>' for line in lines)
    )  # fmt: skip


def _contrast_row(one: Comparison, names: Sequence[str]) -> tuple[str, ...]:
    low, high = (
        None if end is None else number(one, end, signed=True) for end in (one.low, one.high)
    )
    interval = "n/a" if low is None or high is None else f"{low} to {high}"
    difference = number(one, one.difference, signed=True)
    p = "n/a" if one.p_corrected is None else _p(one.p_corrected)
    people = (
        f"{one.meaning.accuracy:.0%}" if isinstance(one.meaning, Agreement) else "not available"
    )
    place = names.index(one.system)
    return (
        marked_system(place, one.system), METRICS[one.metric],
        f"<b>{difference}</b><br><span class='quiet'>{escape(one.verdict)}</span>",
        interval, f"{p}<br><span class='quiet'>of {one.compared}</span>",
        str(one.seeds) if one.seeds else "none", people,
    )  # fmt: skip


def _p(value: float) -> str:
    return "under 0.001" if value < 0.001 else f"{value:.3f}"


def buckets_html(found: Sequence[Bucket], names: Sequence[str], metric: str) -> str:
    """Corpus scores of parts of the segments, and what the second system has over the first."""
    form = f".{digits(metric)}f"
    several = len(names) > 1
    rows = []
    for bucket in found:
        few = ' <span class="quiet">(few)</span>' if bucket.n < FEW else ""
        cells = [escape(bucket.label), f"{bucket.n:,}{few}"]
        cells += [f"{score:{form}}" for score in bucket.scores]
        cells += [f"<b>{bucket.scores[1] - bucket.scores[0]:+{form}}</b>"] if several else []
        rows.append(cells)
    letters = [f"{letter}: {name}" for letter, name in zip(LETTERS, names, strict=False)]
    return table(
        ("Segments", "n", *letters, *(["B minus A"] if several else [])),
        rows,
        caption=f"Corpus {METRICS[metric]} of parts of the test set; a segment may fail in several "
        f"ways. Under {FEW} segments a corpus score says little",
        css_class="numbers",
    )

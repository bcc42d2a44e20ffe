"""The open segment of the Compare tab: one sentence along the runs of a family."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mtlab.results.across import SIZES, Attempt, Family
from mtlab.results.labels import METRICS
from mtlab.results.side_by_side import SideBySide
from mtlab.ui.compare_cells import hypothesis_block, score_text, segment_score
from mtlab.ui.compare_form import Form
from mtlab.ui.markup import badges, escape, notice

_CURRENT, _ROW = 'aria-current="true"', 'class="current"'


@dataclass(frozen=True)
class Opened:
    """The segment that is open: the families to choose from, and what one of them made of it."""

    families: Sequence[Family]
    family: Family | None
    attempts: Sequence[Attempt]


def opened_html(view: SideBySide, form: Form, place: int, opened: Opened) -> str:
    """The segment whole, and what the runs of a family made of it.

    Args:
        view: the segments.
        form: whose metric the scores are of.
        place: of the segment.
        opened: the families to choose from, and the one that is shown.
    """
    source, reference = view.sources[place], view.references[place]
    texts = (
        f'<dl class="sentence"><dt>Source</dt><dd dir="auto">{escape(source)}</dd>'
        f'<dt>Reference</dt><dd dir="auto">{escape(reference)}</dd></dl>'
    )
    if opened.family is None:
        return texts + notice(
            "No family of runs has translated this sentence: it takes a finished run and others "
            "that differ from it in size, or in the side that noise hits."
        )
    options = "".join(
        f'<option value="{escape(one.key)}"{" selected" if one is opened.family else ""}>'
        f"{escape(f'{one.what}: {one.label}')}</option>"
        for one in opened.families
    )
    number = view.numbers[place]
    return (
        f'<section class="across" aria-label="Segment {number} across runs">{texts}'
        f'<label class="choose">The same sentence across <select data-across>{options}</select>'
        f"</label>{_along(view, form, reference, opened.family, opened.attempts)}</section>"
    )


def _along(
    view: SideBySide,
    form: Form,
    reference: str,
    family: Family,
    attempts: Sequence[Attempt],
) -> str:
    """A slider over the stops of a family, the translations at the one chosen, all in a table."""
    stops = sorted({attempt.stop for attempt in attempts})
    if len(stops) < 2:
        translated = "Only one" if stops else "None"
        return notice(
            f"{translated} of these systems has translated this sentence so far. Launch runs that "
            "differ in this alone to look along them."
        )
    stop_of = {one.system.id: one.stop for one in attempts}
    shown = [stop_of[one.id] for one in view.systems if not one.untuned and one.id in stop_of]
    labels = [family.stops[stop].label for stop in stops]
    current = stops.index(shown[0] if shown else stops[-1])
    what = "Size" if family.what == SIZES else "Noise on"
    ticks = "".join(
        f'<button type="button" data-to="{step}" data-label="{escape(label)}"'
        f"{_where(step == current, _CURRENT)}>"
        f"{escape(label.removesuffix(' pairs'))}</button>"
        for step, label in enumerate(labels)
    )
    slider = (
        f'<label class="slide">{what}: <output>{escape(labels[current])}</output>'
        f'<input type="range" data-slide min="0" max="{len(stops) - 1}" step="1" value="{current}" '
        f'aria-valuetext="{escape(labels[current])}"></label><div class="ticks">{ticks}</div>'
    )
    metric = f"Sentence {METRICS[form.metric]}"
    large, rows = [], []
    for step, stop in enumerate(stops):
        here = [one for one in attempts if one.stop == stop]
        body = "".join(_large(one, reference, form.metric, _seed(one, here)) for one in here)
        large.append(
            f'<div class="step" data-step="{step}"{_where(step != current, "hidden")}>{body}</div>'
        )
        rows += [
            f'<tr data-step="{step}"{_where(step == current, _ROW)}>'
            f'<td data-label="{what}">{escape(labels[step])}</td>'
            f'<td data-label="Run">{_run_button(one)}</td>'
            f'<td data-label="Translation">{hypothesis_block(one.hypothesis, reference)}'
            f"{badges(one.failures, one.language)}</td>"
            f'<td data-label="{metric}">{score_text(form.metric, one.score)}</td></tr>'
            for one in here
        ]
    heads = "".join(f'<th scope="col">{text}</th>' for text in (what, "Run", "Translation", metric))
    return (
        f'{_best(attempts, family, form.metric)}{slider}<div aria-live="polite">{"".join(large)}'
        f'</div><div class="scroll"><table class="lab-table segments along"><thead><tr>{heads}</tr>'
        f"</thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _best(attempts: Sequence[Attempt], family: Family, metric: str) -> str:
    """What the table shows, in one sentence."""
    means = {}
    for stop in dict.fromkeys(one.stop for one in attempts):
        scores = [one.score for one in attempts if one.stop == stop and one.score is not None]
        if scores:
            means[stop] = sum(scores) / len(scores)
    if not means:
        return ""
    best = max(means, key=means.__getitem__)
    first = next(iter(means))
    text = f"Best by sentence {METRICS[metric]}: {family.stops[best].label} with " + score_text(
        metric, means[best]
    )
    if best != first:
        text += f"; {family.stops[first].label} has {score_text(metric, means[first])}"
    return f"<p>{escape(text)}. One sentence is an example, not a result.</p>"


def _seed(attempt: Attempt, beside: Sequence[Attempt]) -> str:
    """Which seed it is, where there are others beside it."""
    seed = attempt.system.run.spec.seed
    return f'<span class="quiet">seed {seed}</span>' if len(beside) > 1 else ""


def _large(attempt: Attempt, reference: str, metric: str, seed: str) -> str:
    score = "" if attempt.score is None else segment_score(metric, attempt.score, None)
    return (
        f'<div class="answer">{seed}{hypothesis_block(attempt.hypothesis, reference)}</div>'
        f"{score}{badges(attempt.failures, attempt.language)}"
    )


def _run_button(attempt: Attempt) -> str:
    run = attempt.system.run
    if attempt.system.untuned:
        return "the untuned base"
    return (
        f'<button type="button" class="link" data-run="{escape(run.id)}">{escape(run.id)}</button>'
        f'<div class="quiet">seed {run.spec.seed}</div>'
    )


def _where(condition: bool, attribute: str) -> str:
    return f" {attribute}" if condition else ""

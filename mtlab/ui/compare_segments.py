"""A page of the Compare tab's segments as HTML."""

from __future__ import annotations

from collections.abc import Sequence

from mtlab.results.labels import METRICS
from mtlab.results.segments_view import Page, chosen, page_of
from mtlab.results.side_by_side import SideBySide
from mtlab.scoring.bootstrap import Floats
from mtlab.ui.compare_across import Opened, opened_html
from mtlab.ui.compare_cells import hypothesis_block, marked_system, segment_score
from mtlab.ui.compare_form import LETTERS, Form
from mtlab.ui.markup import badges, escape, notice, text_block


def segments_html(view: SideBySide, names: Sequence[str], form: Form, opened: Opened | None) -> str:
    """A page of segments.

    Args:
        view: the segments.
        names: of its systems.
        form: which are shown, and how; its opened segment is shown where it is on the page.
        opened: what is shown of that segment.
    """
    places = chosen(view, form.wanted, form.order, form.metric)
    page = page_of(places, form.page)
    if not len(places):
        return notice(f"None of the {view.n:,} segments matches. Change the filter to see some.")
    scores = view.scores(form.metric)
    headers = [f"<th scope='col'>{escape(text)}</th>" for text in ("#", "Source", "Reference")]
    headers += [
        f'<th scope="col">{marked_system(place, name)}</th>' for place, name in enumerate(names)
    ]
    rows = []
    for place in page.places:
        rows.append(_row(view, names, form, place, scores[:, place]))
        if form.opened == view.numbers[place] and opened is not None:
            body = opened_html(view, form, place, opened)
            rows.append(f'<tr class="opened-segment"><td colspan="{len(headers)}">{body}</td></tr>')
    caption = (
        f"Segments {view.direction}, page {page.number:,} of {page.pages:,}: {len(places):,} of "
        f"{view.n:,} match. Open one to see it across sizes or noise sides"
    )
    return (
        f'<div class="scroll"><table class="lab-table segments">'
        f"<caption><span>{escape(caption)}</span></caption>"
        f"<thead><tr>{''.join(headers)}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
        f'{_pager(page)}<p class="signature">Sentence {METRICS[form.metric]}, to look at and not '
        f"to average: {escape(view.segment_signature(form.metric))}</p>"
    )


def _row(view: SideBySide, names: Sequence[str], form: Form, place: int, scores: Floats) -> str:
    number = view.numbers[place]
    is_open = form.opened == number
    texts = [segments.hypotheses[place] for segments in view.segments]
    against = view.references[place] if form.against is None else texts[form.against]
    cells = [
        f'<td data-label="Segment"><button type="button" class="opener" data-open="{number}" '
        f'aria-expanded="{str(is_open).lower()}" aria-label="Segment {number}">{number}</button>'
        "</td>",
        f'<td data-label="Source">{text_block(view.sources[place])}</td>',
        f'<td data-label="Reference">{text_block(view.references[place])}</td>',
    ]
    for system, (name, segments, text) in enumerate(zip(names, view.segments, texts, strict=True)):
        failures = segments.failures[place] if segments.failures else ()
        gain = float(scores[system] - scores[0]) if system else None
        score = segment_score(form.metric, float(scores[system]), gain)
        cells.append(
            f'<td data-label="{escape(f"{LETTERS[system]}: {name}")}">'
            f"{hypothesis_block(text, against)}{score}"
            f"{badges(failures, segments.languages[place])}</td>"
        )
    opened = ' class="open"' if is_open else ""
    return f'<tr data-open="{number}"{opened}>{"".join(cells)}</tr>'


def _pager(page: Page) -> str:
    """Buttons to the first, the last and the nearby pages."""
    if page.pages == 1:
        return ""
    near = {1, page.pages, *range(page.number - 2, page.number + 3)}
    numbers = sorted(number for number in near if 1 <= number <= page.pages)
    parts = [_page_button("Previous", page.number - 1, page)]
    before = 0
    for number in numbers:
        if number > before + 1:
            parts.append('<span class="quiet">…</span>')
        parts.append(_page_button(f"{number:,}", number, page))
        before = number
    parts.append(_page_button("Next", page.number + 1, page))
    return f'<nav class="pager" aria-label="Pages of segments">{"".join(parts)}</nav>'


def _page_button(text: str, number: int, page: Page) -> str:
    state = ""
    if not 1 <= number <= page.pages:
        state = " disabled"
    elif number == page.number:
        state = ' aria-current="page"'
    return f'<button type="button" data-page="{number}"{state}>{text}</button>'

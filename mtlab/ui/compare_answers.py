"""What the Compare tab answers to a choice, a filter, a click: without a component of the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from mtlab.errors import InputError, MtlabError
from mtlab.results.buckets import buckets
from mtlab.results.segment_files import segments_csv, segments_jsonl
from mtlab.results.segments_view import chosen
from mtlab.results.side_by_side import SideBySide
from mtlab.results.systems import UNTUNED, system_names
from mtlab.spec import Direction
from mtlab.ui.compare_desk import Desk, Showing
from mtlab.ui.compare_form import Form
from mtlab.ui.compare_scores import buckets_html, contrasts_html, scores_table
from mtlab.ui.compare_segments import segments_html
from mtlab.ui.markup import notice

_FILES = {"csv": segments_csv, "jsonl": segments_jsonl}


@dataclass(frozen=True)
class Chosen:
    """What a choice of systems comes to.

    Attributes:
        directions: those that all of them tested.
        direction: the one that is shown; None where there is none.
        scores: the corpus scores as HTML, or why there are none.
        untold: why nothing can be said of significance; empty where it can.
        names: of the systems.
        view: their segments; None where there are none to show.
        showing: what is shown; None where nothing is.
    """

    directions: tuple[str, ...] = ()
    direction: str | None = None
    scores: str = ""
    untold: str = ""
    names: tuple[str, ...] = ()
    view: SideBySide | None = None
    showing: Showing | None = None


def choose(desk: Desk, ids: Sequence[str], code: str | None) -> Chosen:
    """Systems, and the direction asked for if all of them tested it, else the first that they did.

    Raises:
        InputError: a system that is not there, or too many.
    """
    systems = desk.systems(ids)
    if not systems:
        none = "Finished runs can be compared here: choose one above, or launch one first."
        return Chosen(scores=notice(none))
    names = tuple(system_names(systems))
    directions = [
        one
        for one in systems[0].run.spec.tested
        if all(one in other.run.spec.tested for other in systems)
    ]
    if not directions:
        tested = "; ".join(
            f"{name}: {', '.join(map(str, system.run.spec.tested))}"
            for name, system in zip(names, systems, strict=True)
        )
        problem = f"These systems share no test direction ({tested}). Choose some that do."
        return Chosen(scores=notice(problem, css_class="problem"), names=names)
    codes = tuple(map(str, directions))
    direction = Direction.parse(code if code in codes else codes[0])
    showing = Showing.of(systems, direction)
    try:
        view, _ = desk.view(showing)
    except MtlabError as error:
        problem = notice(str(error), css_class="problem")
        return Chosen(codes, str(direction), problem, names=names)
    scores = scores_table(systems, names, direction)
    untold = ""
    if not view.same_test:
        untold = _other_segments(view, names)
        scores = notice(untold, css_class="problem") + scores
    elif len(systems) == 1:
        untold = "Choose a second system to compare it with."
    return Chosen(codes, str(direction), scores, untold, names, view if view.n else None, showing)


def _other_segments(view: SideBySide, names: Sequence[str]) -> str:
    counts = ", ".join(f"{name}: {count:,}" for name, count in zip(names, view.tested, strict=True))
    what = (
        f"below are the {view.n:,} that all share, and significance is left out"
        if view.n
        else "no segment is shared, so that only their own scores are shown"
    )
    return (
        f"These systems were tested on different segments ({counts}): {what}. For all of it, "
        "choose runs with the same test corpus and the same number of test segments."
    )


def significance(desk: Desk, showing: Showing | None, seeds: str) -> tuple[bool, str] | None:
    """Whether there are more seeds than those chosen, and every system against the first as HTML.

    Args:
        desk: what is read.
        showing: what is shown.
        seeds: `chosen` or `every`.

    Returns:
        None where nothing can be said: `Chosen.untold` has the reason.
    """
    if seeds not in ("chosen", "every"):
        raise InputError(
            f"'{seeds}' are no seeds", field="Significance over", fix="choose one of the two"
        )
    if showing is None or len(showing.chosen) < 2:
        return None
    view, names = desk.view(showing)
    if not view.same_test:
        return None
    seeded = desk.every_seed(view)
    systems = seeded if seeds == "every" else view.systems
    found = desk.contrasts(systems, names, view.direction)
    more = any(len(system.runs) > 1 for system in seeded)
    return more, contrasts_html(found, names, view.direction)


def parts(desk: Desk, showing: Showing | None, metric: str) -> str:
    """Corpus scores of parts of the segments, as HTML."""
    if showing is None:
        return ""
    view, names = desk.view(showing)
    metric = metric if metric in view.metrics else view.metrics[0]
    return buckets_html(buckets(view, metric), names, metric) if view.n else ""


def listing(desk: Desk, showing: Showing | None, form: Form) -> str:
    """A page of segments, with the one that is open."""
    if showing is None:
        return ""
    view, names = desk.view(showing)
    return segments_html(view, names, form, desk.opened(view, form))


def after_click(form: Form, click: Any) -> tuple[Form, str | None]:
    """How the segments are looked at after a click on them, and the run to open elsewhere if any.

    Args:
        form: before it.
        click: what the page's script says was clicked: `{open: NUMBER}`, `{page: NUMBER}`,
            `{across: KEY}` or `{run: ID}`. Anybody may send anything here.

    Raises:
        InputError: it is none of these.
    """
    match click:
        case {"open": int(number)}:
            return replace(form, opened=None if form.opened == number else number), None
        case {"page": int(number)}:
            return replace(form, page=max(1, number), opened=None), None
        case {"across": str(key)}:
            return replace(form, family=key), None
        case {"run": str(run_id)}:
            return form, run_id
    raise InputError("this click says nothing", field="segments", fix="load the page again")


def file_of(desk: Desk, showing: Showing | None, form: Form, kind: str) -> tuple[str, str]:
    """What is filtered, all pages of it, as a file: its name and its text.

    Args:
        desk: what is read.
        showing: what is shown.
        form: which segments, in which order.
        kind: `csv` or `jsonl`.

    Raises:
        InputError: nothing is shown.
    """
    if showing is None:
        raise InputError("nothing is shown", field="Systems", fix="choose some")
    view, names = desk.view(showing)
    places = chosen(view, form.wanted, form.order, form.metric).tolist()
    signature = view.segment_signature(form.metric)
    text = _FILES[kind](view, names, places, form.metric, signature)
    return f"segments-{view.direction}.{kind}", text


def first_choice(desk: Desk, ids: Sequence[str], wished: Sequence[str]) -> list[str]:
    """What is compared before anyone has chosen: runs that were asked for, else the newest run."""
    runs = [one for one in wished if one in ids]
    runs = runs or [one for one in ids if not one.startswith(UNTUNED)][:1]
    return desk.beside(runs)

"""Small parts that the tables of the Compare tab share."""

from __future__ import annotations

from mtlab.results.labels import METRICS, digits
from mtlab.ui.compare_form import LETTERS
from mtlab.ui.markup import difference, escape


def marked_system(place: int, name: str) -> str:
    """A system's letter in its colour, and its name."""
    letter = LETTERS[place]
    return f'<span class="system"><b class="system-{letter}">{letter}</b> {escape(name)}</span>'


def hypothesis_block(text: str, against: str) -> str:
    """A hypothesis with the words marked that a text does not have in that place."""
    if not text.strip():
        return '<div class="hypothesis quiet">(nothing)</div>'
    return f'<div class="hypothesis" dir="auto">{difference(text, against)}</div>'


def segment_score(metric: str, score: float, gain: float | None) -> str:
    """A segment's score, and what it has over the first system's if that is given."""
    form = f".{digits(metric)}f"
    more = f' <span class="quiet">({gain:+{form}})</span>' if gain is not None else ""
    name = METRICS[metric]
    return f'<span class="segment-score" title="sentence {name}">{name} {score:{form}}{more}</span>'


def score_text(metric: str, score: float | None) -> str:
    """A score to the digits of its metric, or `n/a`."""
    return "n/a" if score is None else f"{score:.{digits(metric)}f}"

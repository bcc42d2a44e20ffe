"""The list of all runs, searched and in pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mtlab.results.labels import METRICS, digits, spec_label
from mtlab.results.seen import SeenRun

PAGE = 25
"""Runs on a page."""


@dataclass(frozen=True)
class Listing:
    """A page of the runs that a search finds.

    Attributes:
        runs: those of this page, the newest first.
        page: its number, from 1.
        pages: how many there are; at least 1.
        found: how many runs the search finds.
        total: how many runs there are.
    """

    runs: tuple[SeenRun, ...]
    page: int
    pages: int
    found: int
    total: int


def listed(runs: Sequence[SeenRun], query: str, page: int) -> Listing:
    """A page of the runs that have every word of a query in their name, id, state or spec.

    Args:
        runs: the newest first.
        query: words in any case; none finds all.
        page: from 1; the nearest there is.
    """
    words = query.lower().split()
    found = [run for run in runs if all(word in searched(run) for word in words)]
    pages = max(1, -(-len(found) // PAGE))
    page = min(max(1, page), pages)
    shown = tuple(found[(page - 1) * PAGE : page * PAGE])
    return Listing(shown, page, pages, len(found), len(runs))


def searched(run: SeenRun) -> str:
    """The text that a search looks into, in small letters."""
    spec = run.spec
    parts = [run.id, spec.name, spec.group, run.status.state, spec_label(spec), spec.corpus]
    parts += [spec.training.method, f"seed {spec.seed}"]
    return " ".join(part for part in parts if part).lower()


def scores_in_words(run: SeenRun) -> str:
    """`BLEU 12.7, chrF 31.0`: each metric's mean over the directions that have it."""
    said = []
    for metric, name in METRICS.items():
        value = run.value(metric, run.scored(metric))
        if value is not None:
            said.append(f"{name} {value:.{digits(metric)}f}")
    return ", ".join(said)

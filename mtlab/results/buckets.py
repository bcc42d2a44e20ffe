"""Where a difference comes from: corpus scores of parts of a test set (a habit of compare-mt's).

By the length of the source, in thirds, and by failure: the segments without one in any system, and
those in which some system fails in a certain way. A segment may stand in several of the latter.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mtlab.results.segments_view import ANY, LENGTHS, Flags, of_length, some_failed, thirds
from mtlab.results.side_by_side import SideBySide
from mtlab.scoring.failures import FAILURES

FEW = 10
"""A corpus score of fewer segments than this says little."""


@dataclass(frozen=True)
class Bucket:
    """A part of the segments and what each system scores on it.

    Attributes:
        label: in words.
        n: number of segments.
        scores: a corpus score per system.
    """

    label: str
    n: int
    scores: tuple[float, ...]


def buckets(view: SideBySide, metric: str) -> list[Bucket]:
    """All segments, then the parts that hold any: by length, then by failure.

    Args:
        view: at least one segment.
        metric: `bleu`, `chrf` or `comet`.

    Raises:
        InputError: a system has no such scores.
        NotAvailable: they cannot be counted on this machine.
    """
    counted = view.statistics(metric)
    found = []
    for label, kept in (("all segments", np.ones(view.n, dtype=np.bool_)), *_parts(view)):
        if n := int(kept.sum()):
            scores = tuple(one.where(kept).score() for one in counted)
            found.append(Bucket(label, n, scores))
    return found


def length_label(view: SideBySide, name: str) -> str:
    """`short`, `medium` or `long` with its bounds: `short: up to 7 words`."""
    low, high = thirds(view.lengths()).bounds(name)
    if high is None:
        return f"{name}: {low} {view.length_unit} and more"
    if low == 0:
        return f"{name}: up to {high} {view.length_unit}"
    span = str(low) if low == high else f"{low} to {high}"
    return f"{name}: {span} {view.length_unit}"


def _parts(view: SideBySide) -> Iterator[tuple[str, Flags]]:
    lengths = view.lengths()
    for name in LENGTHS:
        yield f"source {length_label(view, name)}", of_length(lengths, name)
    if any(segments.failures is None for segments in view.segments):
        return
    several = len(view.systems) > 1
    yield "no system fails" if several else "no failure", ~some_failed(view, ANY)
    for name in FAILURES:
        label = f"{name} in some system" if several else name
        yield label, some_failed(view, name)

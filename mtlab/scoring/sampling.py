"""Scores over resamples of segments and of training seeds, which paired tests rest on.

Each draw resamples the segments (the same for all systems, conditions and seeds) and, of a
condition with several seeds, the seeds: k - 1 of k with replacement, since k of k would understate
the spread of so few (Rao and Wu 1988), and averages the corpus scores of the seeds drawn. When two
conditions have the same seeds the draw is the same for both.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mtlab.errors import InputError
from mtlab.scoring.bootstrap import SAMPLES, SEED, Floats
from mtlab.scoring.bootstrap import resamples as segment_resamples
from mtlab.scoring.statistics import SegmentStatistics

_SUMMED_AT_ONCE = 4_000_000  # numbers: a product is shared out among threads, which takes a while
_SCORED_AT_ONCE = 400_000  # numbers: what a processor's cache holds
_EXACT = 2**24
"""Whole numbers under this are themselves in single precision."""


@dataclass(frozen=True, eq=False)
class Sampled:
    """What one condition scores, per seed, over all segments and over each resample.

    Attributes:
        values: corpus score per seed, shape (seeds,).
        draws: corpus score per seed and resample, shape (seeds, samples); None of one segment.
        n: number of segments.
    """

    values: Floats
    draws: Floats | None
    n: int


def sample(
    systems: Sequence[SegmentStatistics], seed: int | Sequence[int] | None, samples: int = SAMPLES
) -> list[Sampled]:
    """Score every system over the same resamples of the same segments.

    Args:
        systems: over the same segments; metrics may differ.
        seed: seed of the draw.
        samples: how many resamples. The first thousand are the same for any number.

    Returns:
        One `Sampled` with one seed per system.

    Raises:
        InputError: no system, or unequal numbers of segments.
    """
    if not systems or len({one.n for one in systems}) != 1:
        numbers = ", ".join(str(one.n) for one in systems) or "none"
        raise InputError(
            f"the systems have unequal numbers of segments ({numbers})",
            field="systems",
            fix="compare systems that translated the same segments",
        )
    n = systems[0].n
    values = [np.array([one.score()]) for one in systems]
    if n < 2:
        return [Sampled(value, None, n) for value in values]
    draws = np.empty((len(systems), samples))
    for start, scores in score_blocks(systems, seed, samples):
        draws[:, start : start + len(scores)] = scores.T
    return [Sampled(value, row[None, :], n) for value, row in zip(values, draws, strict=True)]


def score_blocks(
    systems: Sequence[SegmentStatistics], seed: int | Sequence[int] | None, samples: int
) -> Iterator[tuple[int, Floats]]:
    """Score every system over the same resamples, some hundred resamples at a time.

    Args:
        systems: over the same segments, at least two; metrics may differ.
        seed: seed of the draw.
        samples: how many resamples.

    Yields:
        The number of the first resample, and scores of shape (resamples, systems).
    """
    groups = [
        (metric, [place for place, one in enumerate(systems) if one.metric == metric])
        for metric in dict.fromkeys(one.metric for one in systems)
    ]
    # Counts are whole numbers and few, so that single precision sums them exactly, at twice the
    # speed; segment scores are neither.
    stacked = [_stacked([systems[place] for place in places]) for _, places in groups]
    widest = max(rows.shape[1] for rows in stacked)
    summed, scored = (max(1, most // widest) for most in (_SUMMED_AT_ONCE, _SCORED_AT_ONCE))
    start = 0
    for counts in segment_resamples(systems[0].n, seed, samples):
        for first in range(0, len(counts), summed):
            some = counts[first : first + summed]
            sums = [some.astype(rows.dtype) @ rows for rows in stacked]
            for from_ in range(0, len(some), scored):
                scores = np.empty((min(scored, len(some) - from_), len(systems)))
                for (_, places), part in zip(groups, sums, strict=True):
                    block = part[from_ : from_ + scored].astype(np.float64)
                    shaped = block.reshape(len(block), -1, len(places))
                    scores[:, places] = systems[places[0]].scores(shaped)
                yield start, scores
                start += len(scores)


def _stacked(systems: Sequence[SegmentStatistics]) -> npt.NDArray[np.floating[Any]]:
    """The rows of systems under one metric, shape (n, k x systems), the systems innermost."""
    rows = np.stack([one.rows for one in systems], axis=2).reshape(systems[0].n, -1)
    whole = bool((rows == np.rint(rows)).all()) and bool((rows >= 0).all())
    exact = whole and len(rows) * float(rows.max(initial=0)) < _EXACT
    return rows.astype(np.float32) if exact else rows


def joined(seeds: Sequence[Sampled]) -> Sampled:
    """One condition out of its seeds, each sampled over the same segments."""
    draws = [one.draws for one in seeds if one.draws is not None]
    return Sampled(
        np.concatenate([one.values for one in seeds]),
        np.concatenate(draws) if len(draws) == len(seeds) else None,
        seeds[0].n,
    )


def seed_averages(conditions: Sequence[Sampled], *, paired: bool) -> list[Floats | None]:
    """Per condition and resample the mean score over seeds drawn with replacement.

    Args:
        conditions: as `joined` makes them.
        paired: draw the same seeds for all; they must have equally many, in the same order.

    Returns:
        Shape (samples,) per condition; None for a condition without resamples.
    """
    averages: list[Floats | None] = []
    for place, one in enumerate(conditions):
        if one.draws is None or len(one.draws) == 1:
            averages.append(None if one.draws is None else one.draws[0])
            continue
        picks = seed_picks(*one.draws.shape, stream=1 if paired else 1 + place)
        averages.append(np.take_along_axis(one.draws, picks, axis=0).mean(axis=0))
    return averages


def seed_picks(seeds: int, samples: int, *, stream: int) -> npt.NDArray[np.int64]:
    """Which of several seeds each resample draws, shape (seeds - 1, samples).

    Args:
        seeds: how many there are, at least two.
        samples: how many resamples.
        stream: 1 for a baseline and all that is paired with it, 2 for what is drawn apart.
    """
    # A stream of its own: the draw of segments stays that of one seed.
    generator = np.random.default_rng([SEED, stream])
    return generator.integers(seeds, size=(seeds - 1, samples))

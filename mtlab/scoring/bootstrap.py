"""Percentile bootstrap over segments, drawn exactly as sacrebleu draws it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

SAMPLES = 1000
"""Resamples per interval; sacrebleu's own number."""

SEED = 12345
"""sacrebleu's own seed."""

_DRAWS_AT_ONCE = 2_000_000

Floats = npt.NDArray[np.float64]


def default_seed() -> int | None:
    """The seed sacrebleu would use: `SACREBLEU_SEED`, else 12345; None where it says "none"."""
    text = os.environ.get("SACREBLEU_SEED", str(SEED))
    return None if text.lower() == "none" else int(text)


def resamples(n: int, seed: int | Sequence[int] | None, samples: int = SAMPLES) -> Iterator[Floats]:
    """Draw `samples` resamples of `n` segments with replacement.

    The numbers are those of `sacrebleu.significance._bootstrap_resample`: one `default_rng(seed)`
    and rows drawn in order. Two systems over the same segments get the same draws.

    Args:
        n: number of segments.
        seed: seed of the draw; None draws one from the system.
        samples: number of resamples.

    Yields:
        Blocks of shape (rows, n): how often each segment stands in each resample. The rows of all
        blocks together are `samples`; a block is at most 16 MB.
    """
    generator = np.random.default_rng(seed)
    rows = max(1, _DRAWS_AT_ONCE // n)
    for start in range(0, samples, rows):
        count = min(rows, samples - start)
        draw = generator.choice(n, size=(count, n), replace=True)
        draw += np.arange(count)[:, None] * n
        yield np.bincount(draw.ravel(), minlength=count * n).reshape(count, n).astype(np.float64)


def percentile_interval(scores: Floats) -> tuple[float, float]:
    """The 95% interval of resampled scores: the 1/40 at either end is left off, as in sacrebleu.

    Args:
        scores: one score per resample, shape (samples,).
    """
    low = len(scores) // 40
    high = len(scores) - low - 1
    ordered = np.partition(scores, (low, high))  # sorted as far as these two need
    return float(ordered[low]), float(ordered[high])


def mean_interval(segments: Floats, seed: int | None) -> tuple[float, float]:
    """The 95% interval of the mean of segment scores.

    Args:
        segments: one score per segment, shape (n,), n at least 2.
        seed: seed of the draw.
    """
    n = len(segments)
    means = np.concatenate([counts @ segments / n for counts in resamples(n, seed)])
    return percentile_interval(means)

"""Per-segment numbers whose sum over segments gives the corpus score, for all resamples at once.

sacrebleu computes a corpus score from sums of per-segment counts, one Python call per resample.
Here the same formulas take a matrix of sums, so that ten thousand resamples of dozens of systems
take seconds. The counts themselves are sacrebleu's; tests hold both formulas against it.

Covered: BLEU as sacrebleu computes a corpus score by default (order 4, `exp` smoothing, no
effective order), chrF2 (order 6, beta 2, effective order), and any mean of segment scores.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from mtlab.scoring.bootstrap import Floats

BLEU_ORDER = 4
CHRF_ORDER = 6
CHRF_BETA = 2


@dataclass(frozen=True, eq=False)
class SegmentStatistics:
    """What one system's segments add to its corpus score under one metric.

    Attributes:
        metric: `bleu`, `chrf`, or the name of something that is a mean over segments.
        rows: shape (n, k): `k` is 10 for BLEU (lengths of hypothesis and reference, matches and
            totals per order), 18 for chrF (hypothesis, reference and matches per order), and 2
            for a mean (the value, and 1 where the segment counts).
    """

    metric: str
    rows: Floats = field(repr=False)

    @property
    def n(self) -> int:
        """Number of segments."""
        return len(self.rows)

    def score(self) -> float:
        """The corpus score over all segments."""
        return float(self.scores(self.rows.sum(axis=0, keepdims=True))[0])

    def scores(self, sums: Floats) -> Floats:
        """Corpus scores of many samples.

        Args:
            sums: the summed rows of each sample, shape (samples, k); or of several systems under
                the same metric, shape (samples, k, systems).

        Returns:
            Shape (samples,) or (samples, systems): 0 to 100 for BLEU and chrF, the mean else (nan
            of no segment).
        """
        return _FORMULAS.get(self.metric, mean_of_sums)(sums)

    def where(self, kept: npt.NDArray[np.bool_]) -> SegmentStatistics:
        """The same with some segments left out: their rows count nothing.

        Args:
            kept: shape (n,); whether each segment stays.
        """
        return SegmentStatistics(self.metric, self.rows * kept[:, None])


def mean_statistics(metric: str, values: Sequence[float] | Floats) -> SegmentStatistics:
    """The statistics of a score that is the mean of its segments' scores, such as COMET.

    Args:
        metric: its name.
        values: one per segment, shape (n,).
    """
    column = np.asarray(values, dtype=np.float64)
    return SegmentStatistics(metric, np.stack([column, np.ones_like(column)], axis=1))


def bleu_of_sums(sums: Floats) -> Floats:
    """BLEU of summed counts, as `sacrebleu.BLEU.compute_bleu` with its defaults.

    Args:
        sums: shape (samples, 10), or (samples, 10, systems).

    Returns:
        Shape (samples,) or (samples, systems), 0 to 100.
    """
    hypothesis, reference = sums[:, 0], sums[:, 1]
    correct, total = sums[:, 2 : 2 + BLEU_ORDER], sums[:, 2 + BLEU_ORDER :]
    with np.errstate(divide="ignore", invalid="ignore"):
        product = correct[:, 0] / total[:, 0]
        for order in range(1, BLEU_ORDER):
            product *= correct[:, order] / total[:, order]
        score: Floats = np.sqrt(np.sqrt(product))  # faster than four logarithms
        score *= 100.0 * np.exp(np.minimum(1 - reference / hypothesis, 0))
    missed = (correct == 0).any(axis=1)
    if missed.any():
        kept = (np.moveaxis(one, 1, -1)[missed] for one in (correct, total))
        score[missed] = _smoothed_bleu(hypothesis[missed], reference[missed], *kept)
    return score


def _smoothed_bleu(hypothesis: Floats, reference: Floats, correct: Floats, total: Floats) -> Floats:
    """BLEU where some order has no match at all; lengths (cases,), counts (cases, 4)."""
    missed = (correct == 0) & (total > 0)
    smoothing = np.exp2(np.cumsum(missed, axis=1))
    with np.errstate(divide="ignore", invalid="ignore"):
        penalty = np.where(hypothesis < reference, np.exp(1 - reference / hypothesis), 1.0)
        precision = 100.0 * np.where(missed, 1.0 / (smoothing * total), correct / total)
        score = penalty * np.exp(np.log(precision).mean(axis=1))
    defined = correct.any(axis=1) & (total > 0).all(axis=1)
    return np.where(defined, score, 0.0)


def chrf_of_sums(sums: Floats) -> Floats:
    """chrF2 of summed counts, as `sacrebleu.CHRF` with its defaults.

    Args:
        sums: shape (samples, 18), or (samples, 18, systems).

    Returns:
        Shape (samples,) or (samples, systems), 0 to 100.
    """
    hypothesis, reference, match = (sums[:, start::3] for start in range(3))
    counted = (hypothesis > 0) & (reference > 0)
    orders = np.maximum(counted.sum(axis=1), 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        precision = np.where(counted, match / hypothesis, 0.0).sum(axis=1) / orders
        recall = np.where(counted, match / reference, 0.0).sum(axis=1) / orders
        factor = CHRF_BETA**2
        score = 100.0 * (1 + factor) * precision * recall / (factor * precision + recall)
    return np.where(precision + recall > 0, score, 0.0)


def mean_of_sums(sums: Floats) -> Floats:
    """The mean of the segments that count.

    Args:
        sums: shape (samples, 2), or (samples, 2, systems): the sum of values and the number of
            segments.

    Returns:
        Shape (samples,) or (samples, systems); nan where no segment counts.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        mean: Floats = sums[:, 0] / sums[:, 1]
    return mean


_FORMULAS: dict[str, Callable[[Floats], Floats]] = {"bleu": bleu_of_sums, "chrf": chrf_of_sums}

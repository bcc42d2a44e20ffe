"""Scores that a failed segment cannot prop up.

A copy of the source scores about 0.66 with wmt22-comet-da, an answer in the wrong language hardly
less: the raw mean praises a system that did not translate. Gated, a segment with any failure at
all (each of `FAILURES`) counts zero in COMET's mean. The interval is made from the same draws as
the raw one, so that the two can be compared.

BLEU and chrF are corpus scores that look for the reference's own words: a failed segment has few
and pays for it already. They are taken as they fall: gated and raw are the same number. A segment
that fails and still scores below zero with COMET counts zero too, like the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mtlab.scoring.bootstrap import mean_interval
from mtlab.scoring.failures import Verdict
from mtlab.scoring.values import Gated, Score

ZEROED = ("comet",)
"""The metrics in which a failed segment counts zero; any other is taken as it falls."""


def gate(score: Score, verdicts: Sequence[Verdict]) -> Score:
    """The score with its gated value beside it.

    Args:
        score: a system's, with its segment scores where the metric is one of `ZEROED`.
        verdicts: how each of its segments fails, in the same order.
    """
    good = np.asarray([not verdict.failed for verdict in verdicts])
    failed = int(len(good) - good.sum())
    if score.metric not in ZEROED or score.segments is None or not failed:
        return replace(score, gated=Gated(score.value, score.low, score.high, failed))
    values = np.where(good, np.asarray(score.segments, dtype=np.float64), 0.0)
    low, high = mean_interval(values, score.seed) if len(values) > 1 else (None, None)
    return replace(score, gated=Gated(float(values.mean()), low, high, failed))

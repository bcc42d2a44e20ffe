"""BLEU and chrF of a corpus, through sacrebleu, with its signature and a bootstrap interval.

Covered: one reference per segment; the tokenizer sacrebleu itself picks for a target language
(`zh`, `ja-mecab`, else 13a). Not covered: several references, TER, spBLEU.

The numbers are sacrebleu's. Its `corpus_score(n_bootstrap=...)` keeps only the mean and half-width
of the interval and copies the statistics once per resample; here the same statistics go through
the same draws as one matrix product (`statistics` has the formulas), which keeps both ends and
takes a fraction of the time and memory. That uses methods of sacrebleu's `Metric` that start with
an underscore: the version is pinned, and tests hold value, mean, half-width and signature against
sacrebleu's own program.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from mtlab.errors import InputError, NotAvailable
from mtlab.scoring.bootstrap import (
    SAMPLES,
    Floats,
    default_seed,
    percentile_interval,
    resamples,
)
from mtlab.scoring.statistics import BLEU_ORDER, SegmentStatistics
from mtlab.scoring.values import Score, Unavailable, check_segments

TOKENIZERS = {"zh": "zh", "ja": "ja-mecab"}
"""BLEU tokenizer by target language; any other is `13a`."""

ONE_SEGMENT = "one segment: there is nothing to resample, so no interval"


def lexical_scores(
    metric: str,
    references: Sequence[str],
    systems: Mapping[str, Sequence[str]],
    target: str,
) -> dict[str, Score | Unavailable]:
    """Score systems that translated the same segments.

    Args:
        metric: `bleu` or `chrf`.
        references: one reference per segment.
        systems: hypotheses per system, by its name.
        target: code of the target language; it decides BLEU's tokenizer.

    Returns:
        A score per system, 0 to 100. `Unavailable` where the tokenizer is not installed.

    Raises:
        InputError: lists that are empty or of unequal length, or another metric.
    """
    check_segments(references, systems)
    try:
        scorer = _scorer(metric, references, target)
    except (ImportError, RuntimeError) as error:
        why = f"sacrebleu's tokenizer for '{target}' cannot be loaded: {error}".strip()
        missing = Unavailable(metric, why, "pip install 'sacrebleu[ja]'")
        return dict.fromkeys(systems, missing)
    return {name: _score(metric, scorer, lines) for name, lines in systems.items()}


def lexical_statistics(
    metric: str, references: Sequence[str], hypotheses: Sequence[str], target: str
) -> SegmentStatistics:
    """What each segment adds to a system's BLEU or chrF.

    Args:
        metric: `bleu` or `chrf`.
        references: one reference per segment.
        hypotheses: one per segment.
        target: code of the target language.

    Raises:
        InputError: lists that are empty or of unequal length, or another metric.
        NotAvailable: the target language's tokenizer is not installed.
    """
    check_segments(references, {"system": hypotheses})
    scorer = _counting(metric, tuple(references), target)
    statistics = scorer._extract_corpus_statistics(list(hypotheses), None)
    return SegmentStatistics(metric, np.asarray(statistics, dtype=np.float64))


def segment_scores(counted: SegmentStatistics) -> Floats:
    """What `sacrebleu.sentence_bleu` or `sentence_chrf` gives for each segment, shape (n,).

    Args:
        counted: of `bleu` or `chrf`, from `lexical_statistics`.
    """
    if counted.metric == "chrf":
        return counted.scores(counted.rows)
    return np.array([_sentence_bleu(row) for row in counted.rows], dtype=np.float64)


def segment_signature(metric: str, target: str) -> str:
    """The signature of `segment_scores`: that of `sacrebleu.sentence_bleu` or `sentence_chrf`.

    Args:
        metric: `bleu` or `chrf`.
        target: code of the target language.

    Raises:
        InputError: another metric.
        NotAvailable: the target language's tokenizer is not installed.
    """
    scorer = _available(metric, ["any"], target)
    scorer.effective_order = True  # chrF always has it
    return str(scorer.get_signature())


@lru_cache(maxsize=16)
def _counting(metric: str, references: tuple[str, ...], target: str) -> Any:
    """A scorer that nobody changes: many systems are tested on the same segments, and counting the
    references is a third of the work.
    """
    return _available(metric, references, target)


def _available(metric: str, references: Sequence[str], target: str) -> Any:
    """`_scorer`, or `NotAvailable` where its tokenizer is not installed."""
    try:
        return _scorer(metric, references, target)
    except (ImportError, RuntimeError) as error:
        what = f"sacrebleu's tokenizer for '{target}' cannot be loaded"
        raise NotAvailable(what, why=str(error), fix="pip install 'sacrebleu[ja]'") from None


def _scorer(metric: str, references: Sequence[str], target: str) -> Any:
    """The sacrebleu metric with the references' n-grams counted once for all systems."""
    if metric == "bleu":
        return BLEU(tokenize=TOKENIZERS.get(target, "13a"), references=[references])
    if metric == "chrf":
        return CHRF(references=[references])
    raise InputError(f"'{metric}' is not a metric", field="metric", fix="use bleu, chrf or comet")


def _score(metric: str, scorer: Any, hypotheses: Sequence[str]) -> Score:
    statistics = scorer._extract_corpus_statistics(list(hypotheses), None)
    value = scorer._aggregate_and_compute(statistics).score
    n = len(statistics)
    seed = default_seed()
    low = high = None
    matrix = np.asarray(statistics, dtype=np.float64)
    counted = SegmentStatistics(metric, matrix)
    if n > 1:
        drawn = np.concatenate([counts @ matrix for counts in resamples(n, seed)])
        low, high = percentile_interval(counted.scores(drawn))
        scorer.n_bootstrap, scorer.seed = SAMPLES, str(seed).lower()
    return Score(
        metric=metric,
        value=float(value),
        low=low,
        high=high,
        n=n,
        signature=str(scorer.get_signature()),
        seed=seed if n > 1 else None,
        segments=tuple(segment_scores(counted).tolist()),
        notes=() if n > 1 else (ONE_SEGMENT,),
        statistics=counted,
    )


def _sentence_bleu(row: Floats) -> float:
    score = BLEU.compute_bleu(
        correct=list(row[2 : 2 + BLEU_ORDER]),
        total=list(row[2 + BLEU_ORDER :]),
        sys_len=int(row[0]),
        ref_len=int(row[1]),
        smooth_method="exp",
        effective_order=True,
    )
    return float(score.score)

"""Paired bootstrap: how sure is a difference, over segments and over training seeds.

Two rules give a p-value, and every signature names the one used.

`p:sacrebleu`  of `compare_systems`, which scores finished files. Draws and formula are those of
    `sacrebleu --paired-bs` (Koehn 2004, as in Moses), for BLEU and chrF to the last digit; COMET's
    segment means go through the same draws. One case is changed: of two systems that score the
    same in every resample sacrebleu says p = 0.001; here it is 1. The formula centres |difference|,
    and so calls nearly one true null in ten significant at 0.05; `Comparison.found` therefore asks
    the 95% interval as well.
`p:two-sided`  of `compare_conditions`, on which findings rest: twice the share of resampled
    differences on the rarer side of zero, the value at which the percentile interval would just
    reach zero (Efron and Tibshirani 1993). Its level holds, so that Holm's correction means what
    it says.

Segments and training seeds are resampled together, as `mtlab.scoring.sampling` draws them. With one
seed it is the segment bootstrap alone and says nothing about other seeds; two to four seeds leave a
rough interval, and the notes say so (`benchmarks.false_finds` measures how rough).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mtlab.errors import InputError
from mtlab.scoring.agreement import agreement
from mtlab.scoring.bootstrap import SEED, Floats, default_seed, percentile_interval
from mtlab.scoring.comet_status import DEFAULT_MODEL
from mtlab.scoring.comparison import Comparison, corrected
from mtlab.scoring.lexical import ONE_SEGMENT
from mtlab.scoring.sampling import Sampled, sample, seed_averages
from mtlab.scoring.statistics import SegmentStatistics, mean_statistics
from mtlab.scoring.values import Score, Unavailable

ONE_SEED = "one seed: the interval says nothing about other seeds"
FEW_SEEDS = 5
SAME = "the two score the same in every resample"
NO_SEGMENTS = "in some resamples no segment is left to score, so no interval"


@dataclass(frozen=True)
class Estimate:
    """A number with what the resamples say of it; None throughout where there are none."""

    value: float
    low: float | None
    high: float | None
    p_value: float | None


def estimate(value: float, draws: Floats | None) -> Estimate:
    """The 95% percentile interval and the two-sided p-value of a number against zero.

    Args:
        value: over all segments.
        draws: over each resample, shape (samples,); None, or with a nan, gives no interval.
    """
    if draws is None or not np.isfinite(draws).all():
        return Estimate(value, None, None, None)
    low, high = percentile_interval(draws)
    return Estimate(value, low, high, two_sided(draws))


def two_sided(draws: Floats) -> float:
    """Twice the share of resamples on the rarer side of zero, zero itself on both; at most 1."""
    rarer = min(int((draws <= 0).sum()), int((draws >= 0).sum()))
    return min(1.0, 2 * (rarer + 1) / (len(draws) + 1))


def sacrebleu_p(draws: Floats, difference: float) -> float:
    """The p-value of `sacrebleu.significance._paired_bs_test`; 1 where nothing ever differs.

    Args:
        draws: system minus baseline in each resample, shape (samples,).
        difference: system minus baseline over all segments.
    """
    if not draws.any() and difference == 0:
        return 1.0
    sizes = np.abs(draws)
    beyond = int((sizes - sizes.mean() > abs(difference)).sum())
    return (beyond + 1) / (len(draws) + 1)


def compare_systems(
    scores: Mapping[str, Mapping[str, Score | Unavailable]], comet_model: str = DEFAULT_MODEL
) -> tuple[Comparison, ...]:
    """Every system against the first one, under every metric both have a score for.

    Args:
        scores: per system, in order, and metric what `score_systems` found; the first system is
            the baseline.
        comet_model: the COMET model that scored.

    Returns:
        Per metric and system a comparison, all of them corrected together.
    """
    names = list(scores)
    baseline = names[0] if names else ""
    found = []
    for metric in scores[baseline] if names else ():
        had = {name: scores[name].get(metric) for name in names}
        there = {name: one for name, one in had.items() if isinstance(one, Score)}
        if baseline not in there or len(there) < 2:
            continue
        seed = default_seed()
        sampled = sample([statistics_of(one) for one in there.values()], seed)
        by_name = dict(zip(there, sampled, strict=True))
        for name in list(there)[1:]:
            pair = there[baseline], there[name]
            draws = by_name[name].draws, by_name[baseline].draws
            found.append(_of_systems((baseline, name), pair, draws, seed, comet_model))
    return corrected(found)


def _of_systems(
    names: tuple[str, str],
    scores: tuple[Score, Score],
    draws: tuple[Floats | None, Floats | None],
    seed: int | None,
    comet_model: str,
) -> Comparison:
    one, other = scores
    difference = other.value - one.value
    low = high = p_value = None
    notes: tuple[str, ...] = (ONE_SEGMENT,)
    signature = f"n:{one.n}"
    if draws[0] is not None and draws[1] is not None:
        differences = draws[0][0] - draws[1][0]
        low, high = percentile_interval(differences)
        p_value = sacrebleu_p(differences, difference)
        notes = () if differences.any() or difference else (SAME,)
        signature += f"|paired-bs:{len(differences)}|seed:{str(seed).lower()}|p:sacrebleu"
    return Comparison(
        metric=one.metric,
        baseline=names[0],
        system=names[1],
        baseline_value=one.value,
        system_value=other.value,
        difference=difference,
        low=low,
        high=high,
        p_value=p_value,
        n=one.n,
        signature=signature,
        seed=seed if p_value is not None else None,
        meaning=agreement(one.metric, difference, comet_model),
        notes=notes,
    )


def statistics_of(score: Score) -> SegmentStatistics:
    """The statistics behind a score: those it was computed from, or its segment scores.

    Raises:
        InputError: it has neither.
    """
    if score.statistics is not None:
        return score.statistics
    if score.segments is None or score.metric in ("bleu", "chrf"):
        raise InputError(
            f"this {score.metric} score came without its segments",
            field="scores",
            fix="score the systems again",
        )
    return mean_statistics(score.metric, score.segments)


@dataclass(frozen=True)
class Names:
    """What a comparison of conditions calls its sides, and the model that scored COMET."""

    baseline: str
    system: str
    comet_model: str = DEFAULT_MODEL


def compare_conditions(
    metric: str,
    names: Names,
    baseline: Sampled,
    system: Sampled,
    *,
    paired: bool,
    trained: tuple[bool, bool] = (True, True),
) -> Comparison:
    """A condition against another, each over its seeds, seeds and segments resampled jointly.

    Args:
        metric: what was sampled.
        names: of the two conditions.
        baseline: sampled over the same resamples of the same segments as `system`.
        system: the other condition.
        paired: whether both have the same seeds, in the same order.
        trained: whether each side's score depends on a training seed; an untuned model's does not.

    Returns:
        Corrected for itself alone: pass all that are made together through `corrected`.

    Raises:
        InputError: the two were sampled over unequal numbers of segments.
    """
    averages = seed_averages((baseline, system), paired=paired)
    sides = [
        Averaged(float(one.values.mean()), draws, one.n, len(one.values) if has else None)
        for one, draws, has in zip((baseline, system), averages, trained, strict=True)
    ]
    return compare_averaged(metric, names, *sides, paired=paired)


@dataclass(frozen=True, eq=False)
class Averaged:
    """What one condition scores, the mean over its seeds.

    Attributes:
        value: over all segments.
        draws: over each resample of segments and seeds, shape (samples,); None of one segment.
        n: number of segments.
        seeds: how many; None where its score depends on no training seed.
    """

    value: float
    draws: Floats | None
    n: int
    seeds: int | None


def compare_averaged(
    metric: str, names: Names, baseline: Averaged, system: Averaged, *, paired: bool
) -> Comparison:
    """`compare_conditions` of conditions whose seeds were averaged already.

    Raises:
        InputError: the two were sampled over unequal numbers of segments.
    """
    if baseline.n != system.n:
        raise InputError(
            f"{baseline.n} segments of '{names.baseline}' against {system.n} of '{names.system}'",
            field="segments",
            fix="compare conditions that translated the same segments",
        )
    difference = system.value - baseline.value
    draws = None
    if baseline.draws is not None and system.draws is not None:
        draws = system.draws - baseline.draws
    found = estimate(difference, draws)
    seeds = [one.seeds for one in (baseline, system) if one.seeds is not None]
    count = min(seeds, default=0)
    signature = f"n:{baseline.n}"
    if draws is not None:
        over = "segments+seeds" if max(seeds, default=0) > 1 else "segments"
        signature += f"|paired-bs:{len(draws)}|seed:{SEED}|over:{over}"
        signature += "|same-seeds:" + ("yes" if paired else "no") + "|p:two-sided"
    return Comparison(
        metric=metric,
        baseline=names.baseline,
        system=names.system,
        baseline_value=baseline.value,
        system_value=system.value,
        difference=difference,
        low=found.low,
        high=found.high,
        p_value=found.p_value,
        p_corrected=found.p_value,
        n=baseline.n,
        signature=signature,
        seed=SEED if draws is not None else None,
        meaning=agreement(metric, difference, names.comet_model),
        seeds=count,
        notes=tuple(_notes(draws, found, count)),
    )


def _notes(draws: Floats | None, found: Estimate, seeds: int) -> list[str]:
    notes = []
    if draws is None:
        notes.append(ONE_SEGMENT)
    elif found.p_value is None:
        notes.append(NO_SEGMENTS)
    elif not draws.any():
        notes.append(SAME)
    if seeds == 1:
        notes.append(ONE_SEED)
    elif 1 < seeds < FEW_SEEDS:
        notes.append(f"{seeds} seeds: the interval over seeds is rough")
    return notes

"""Runs against runs, and runs against their untuned base: one direction, one metric, all seeds."""

from __future__ import annotations

from collections.abc import Sequence

from mtlab.errors import InputError
from mtlab.results.evidence import Evidence, Reader
from mtlab.scoring.bootstrap import SAMPLES, SEED
from mtlab.scoring.comparison import Comparison
from mtlab.scoring.significance import Names, compare_conditions, joined, sample
from mtlab.spec import Direction


def compare_runs(
    baseline: Sequence[Evidence],
    system: Sequence[Evidence],
    direction: Direction,
    metric: str = "bleu",
    *,
    names: tuple[str, str] | None = None,
    samples: int = SAMPLES,
    reader: Reader | None = None,
) -> Comparison:
    """Compare two sets of runs, a run per seed in each, over the segments of a direction.

    Seeds and segments are resampled jointly (`mtlab.scoring.significance`); the seeds of both sets
    together when they are the same ones, apart otherwise.

    Args:
        baseline: runs that differ in nothing but their seed.
        system: likewise.
        direction: one that all of them tested.
        metric: `bleu`, `chrf`, `comet`, or a failure such as `off-target` (its share, 0 to 1).
        names: what to call the two; the first runs' ids if not given.
        samples: resamples.
        reader: keeps what was read for the next comparison.

    Returns:
        `system` minus `baseline`, not corrected for other comparisons.

    Raises:
        InputError: a set is empty or names a seed twice; a run has no translations of the
            direction, or has other sources or references than the first; says which.
    """
    reader = reader or Reader()
    sets = [sorted(runs, key=lambda run: run.spec.seed) for runs in (baseline, system)]
    seeds = [_seeds(runs) for runs in sets]
    check_same_test([*sets[0], *sets[1]], direction, reader)
    statistics = [reader.statistics(run, direction, metric) for runs in sets for run in runs]
    sampled = sample(statistics, SEED, samples)
    first = len(sets[0])
    one, other = names or (sets[0][0].id, sets[1][0].id)
    return compare_conditions(
        metric,
        Names(one, other, sets[0][0].spec.comet_model),
        joined(sampled[:first]),
        joined(sampled[first:]),
        paired=seeds[0] == seeds[1],
    )


def compare_with_base(
    runs: Sequence[Evidence],
    direction: Direction,
    metric: str = "bleu",
    *,
    samples: int = SAMPLES,
    reader: Reader | None = None,
) -> Comparison:
    """Compare runs, one per seed, with the untuned base model they started from.

    Args:
        runs: runs that differ in nothing but their seed, and scored their base.
        direction: one that all of them tested.
        metric: as in `compare_runs`.
        samples: resamples.
        reader: keeps what was read.

    Returns:
        The runs minus the base. The base has no seed: only the runs' are resampled.

    Raises:
        InputError: as `compare_runs`; or the base was not scored.
    """
    reader = reader or Reader()
    ordered = sorted(runs, key=lambda run: run.spec.seed)
    _seeds(ordered)
    check_same_test(ordered, direction, reader)
    statistics = [reader.statistics(ordered[0], direction, metric, untuned=True)]
    statistics += [reader.statistics(run, direction, metric) for run in ordered]
    base, *own = sample(statistics, SEED, samples)
    spec = ordered[0].spec
    return compare_conditions(
        metric,
        Names(f"{spec.base} untuned", ordered[0].id, spec.comet_model),
        base,
        joined(own),
        paired=False,
        trained=(False, True),
    )


def check_same_test(runs: Sequence[Evidence], direction: Direction, reader: Reader) -> None:
    """Refuse runs that were not tested on the same segments.

    Raises:
        InputError: the first run that differs from the first one, and in what.
    """
    first = reader.segments(runs[0], direction)
    for run in runs[1:]:
        segments = reader.segments(run, direction)
        for column in ("sources", "references"):
            ours, theirs = getattr(segments, column), getattr(first, column)
            if ours == theirs:
                continue
            how = (
                f"{len(ours)} segments against {len(theirs)}"
                if len(ours) != len(theirs)
                else f"segment {next(i for i, o in enumerate(ours, 1) if o != theirs[i - 1])}"
            )
            raise InputError(
                f"run {run.id} has other {column} than run {runs[0].id} in {direction} ({how})",
                field="run",
                fix="compare runs that were tested on the same segments",
            )


def _seeds(runs: Sequence[Evidence]) -> list[int]:
    if not runs:
        raise InputError("there is no run to compare", field="run", fix="give at least one")
    seeds = [run.spec.seed for run in runs]
    for run, other in zip(runs, runs[1:], strict=False):
        if run.spec.seed == other.spec.seed:
            raise InputError(
                f"runs {run.id} and {other.id} have the same seed {run.spec.seed}",
                field="run",
                fix="give one run per seed",
            )
    return seeds

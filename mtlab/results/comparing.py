"""Runs against runs, and runs against their untuned base: one direction, all seeds."""

from __future__ import annotations

from collections.abc import Sequence

from mtlab.errors import InputError
from mtlab.results.evidence import Evidence, Reader
from mtlab.results.systems import System
from mtlab.scoring.bootstrap import SAMPLES, SEED
from mtlab.scoring.comparison import Comparison
from mtlab.scoring.sampling import joined, sample
from mtlab.scoring.significance import Names, compare_conditions
from mtlab.spec import Direction


def compare_systems(
    systems: Sequence[System],
    direction: Direction,
    metrics: Sequence[str],
    *,
    names: Sequence[str] | None = None,
    samples: int = SAMPLES,
    reader: Reader | None = None,
) -> list[Comparison]:
    """Compare systems, each over its seeds, with the first one, over the same resamples.

    Seeds and segments are resampled jointly (`mtlab.scoring.sampling`); the seeds of two
    systems together when they are the same ones, apart otherwise. An untuned base has no seed: of
    a run and its base, only the run's are resampled.

    Args:
        systems: at least two; of an untuned base the first run's counts.
        direction: one that all of them tested.
        metrics: `bleu`, `chrf`, `comet`, or a failure such as `off-target` (its share, 0 to 1).
        names: what to call the systems; the first run's id, or the base's name, if not given.
        samples: resamples.
        reader: keeps what was read.

    Returns:
        Per metric each system minus the first, not corrected for one another.

    Raises:
        InputError: a system has no run or names a seed twice; a run has no translations of the
            direction, or has other sources or references than the first; a base was not scored;
            says which.
    """
    reader = reader or Reader()
    sets = [_by_seed(system) for system in systems]
    check_same_test([run for runs in sets for run in runs], direction, reader)
    statistics = [
        reader.statistics(run, direction, metric, untuned=system.untuned)
        for metric in metrics
        for system, runs in zip(systems, sets, strict=True)
        for run in runs
    ]
    sampled = iter(sample(statistics, SEED, samples))
    names = names or [_name(system) for system in systems]
    found = []
    for metric in metrics:
        first, *others = [joined([next(sampled) for _ in runs]) for runs in sets]
        for place, other in enumerate(others, 1):
            pair = systems[0], systems[place]
            trained = not pair[0].untuned, not pair[1].untuned
            comparison = compare_conditions(
                metric,
                Names(names[0], names[place], sets[0][0].spec.comet_model),
                first,
                other,
                paired=all(trained) and _seeds(sets[0]) == _seeds(sets[place]),
                trained=trained,
            )
            found.append(comparison)
    return found


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


def _by_seed(system: System) -> tuple[Evidence, ...]:
    """Its runs in the order of their seeds; of an untuned base, which has none, the first."""
    if not system.runs:
        raise InputError("there is no run to compare", field="run", fix="give at least one")
    if system.untuned:
        return system.runs[:1]
    runs = tuple(sorted(system.runs, key=lambda run: run.spec.seed))
    for run, other in zip(runs, runs[1:], strict=False):
        if run.spec.seed == other.spec.seed:
            raise InputError(
                f"runs {run.id} and {other.id} have the same seed {run.spec.seed}",
                field="run",
                fix="give one run per seed",
            )
    return runs


def _seeds(runs: Sequence[Evidence]) -> list[int]:
    return [run.spec.seed for run in runs]


def _name(system: System) -> str:
    return f"{system.run.spec.base} untuned" if system.untuned else system.run.id

"""Whether systems differ from the first one, in all metrics at once, corrected together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from mtlab.errors import InputError, MtlabError
from mtlab.results.comparing import check_same_test, compare_systems
from mtlab.results.conditions import near
from mtlab.results.evidence import Evidence, Reader
from mtlab.results.systems import System
from mtlab.scoring.comparison import Comparison, corrected
from mtlab.settings import Settings
from mtlab.spec import Direction

SAMPLES = 10_000
"""Resamples, so that Holm's correction leaves something to find."""


@dataclass(frozen=True)
class Contrasts:
    """The comparisons that could be made, and why others could not.

    Attributes:
        comparisons: per metric every system against the first, corrected together.
        missing: metrics that some system has no scores for, each with the reason.
    """

    comparisons: tuple[Comparison, ...]
    missing: Mapping[str, str]


def contrasts(
    systems: Sequence[System],
    names: Sequence[str],
    direction: Direction,
    metrics: Sequence[str],
    reader: Reader,
) -> Contrasts:
    """Compare every system with the first one.

    Args:
        systems: at least two, tested on the same segments.
        names: what to call them.
        direction: one that all of them tested.
        metrics: `bleu`, `chrf`, `comet`.
        reader: keeps what was read.

    Raises:
        InputError: they were tested on different segments.
    """
    check_same_test([run for system in systems for run in system.runs], direction, reader)
    missing = {}
    for metric in metrics:
        try:
            _check_scored(systems, direction, metric, reader)
        except MtlabError as error:
            missing[metric] = str(error)
    there = [metric for metric in metrics if metric not in missing]
    found = (
        compare_systems(systems, direction, there, names=names, samples=SAMPLES, reader=reader)
        if there
        else []
    )
    return Contrasts(corrected(found), missing)


def every_seed(
    system: System,
    finished: Iterable[Evidence],
    direction: Direction,
    settings: Settings,
    reader: Reader,
) -> System:
    """The system with all finished runs that differ from it in their seed alone.

    Args:
        system: with one run.
        finished: runs, the newest first; of several with one seed the newest counts.
        direction: only runs that tested it, on the same segments, are taken.
        settings: where base models lie.
        reader: keeps what was read.
    """
    if system.untuned:
        return system
    tested = [run for run in finished if direction in run.spec.tested]
    own, _ = near(system.run, tested, None, settings)
    others = [
        run
        for run in own.runs
        if run != system.run and _same_test(system.run, run, direction, reader)
    ]
    return replace(system, runs=(system.run, *others))


def _same_test(run: Evidence, other: Evidence, direction: Direction, reader: Reader) -> bool:
    try:
        check_same_test((run, other), direction, reader)
    except InputError:
        return False
    return True


def _check_scored(
    systems: Sequence[System], direction: Direction, metric: str, reader: Reader
) -> None:
    models = {run.spec.comet_model for system in systems for run in system.runs}
    if metric == "comet" and len(models) > 1:
        raise InputError(
            f"the runs were scored with {len(models)} COMET models",
            field="metric",
            fix="compare runs that were scored with the same one",
        )
    for system in systems:
        for run in system.runs:
            reader.statistics(run, direction, metric, untuned=system.untuned)

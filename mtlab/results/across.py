"""One source sentence as translated by all runs of a family: across sizes, or across noise sides.

A family is a run with every finished run that tested the same direction and differs from it in one
knob alone, the seed apart: in size; or in the side that one kind of noise hit, the clean ones too.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mtlab.errors import MtlabError
from mtlab.results.conditions import Condition, near
from mtlab.results.evidence import Evidence
from mtlab.results.labels import base_label
from mtlab.results.reading import translations_path
from mtlab.results.systems import System, noise_label
from mtlab.runs.files import parse_line
from mtlab.scoring.lexical import lexical_statistics, segment_scores
from mtlab.settings import Settings
from mtlab.spec import Direction, Noise

SIZES, SIDES = "sizes", "noise sides"
_SIDES = ("source", "target", "both")


@dataclass(frozen=True)
class Stop:
    """A place along a family: a size, or a side, with a system per seed."""

    label: str
    systems: tuple[System, ...]


@dataclass(frozen=True)
class Family:
    """Runs to look along.

    Attributes:
        key: names it among the families of the same systems.
        what: `sizes` or `noise sides`.
        label: what all its runs share, in words.
        stops: in order; the untuned base first among sizes, the clean runs first among sides.
    """

    key: str
    what: str
    label: str
    stops: tuple[Stop, ...]


@dataclass(frozen=True)
class Attempt:
    """A translation of the sentence.

    Attributes:
        stop: the place of its stop in the family.
        system: whose it is; one run.
        hypothesis: the translation.
        failures: in which ways it fails; empty too where nobody has looked.
        language: the language it is in where it is the wrong one, else None.
        score: the segment's, under the metric asked for; None where there is none.
    """

    stop: int
    system: System
    hypothesis: str
    failures: tuple[str, ...]
    language: str | None
    score: float | None


def families(
    systems: Iterable[System],
    finished: Sequence[Evidence],
    direction: Direction,
    settings: Settings,
) -> list[Family]:
    """The families that systems belong to, each once: those across sizes, then across sides.

    Args:
        systems: whose families are wanted; an untuned base belongs to that of its run.
        finished: all finished runs, the newest first.
        direction: the test direction.
        settings: where base models lie.
    """
    runs = list(dict.fromkeys(system.run for system in systems))
    tested = [run for run in finished if direction in run.spec.tested]
    found = [_across_sizes(run, tested, settings) for run in runs]
    for run in runs:
        found += _across_sides(run, tested, settings)
    once: dict[tuple[object, ...], Family] = {}
    for family in found:
        once.setdefault((family.what, family.label, _trained(family)), family)
    return list(once.values())


def attempts(
    family: Family, source: str, reference: str, direction: Direction, metric: str
) -> list[Attempt]:
    """What each run of a family made of one sentence; runs that were not tested on it are left out.

    Args:
        family: the runs.
        source: the sentence.
        reference: its reference; both have to be the same.
        direction: from which language into which.
        metric: `bleu`, `chrf` or `comet`, for the segment's score.
    """
    found = []
    for place, stop in enumerate(family.stops):
        for system in stop.systems:
            row = _row(system.run, direction, source, reference)
            name, prefix = ("base", "base_") if system.untuned else ("hypothesis", "")
            if row is None or row.get(name) is None:
                continue
            score = (row.get(f"{prefix}scores") or {}).get(metric)
            found.append(
                Attempt(
                    stop=place,
                    system=system,
                    hypothesis=row[name],
                    failures=tuple(row.get(f"{prefix}failures") or ()),
                    language=row.get(f"{prefix}language"),
                    score=_counted(metric, reference, row[name], direction)
                    if score is None
                    else float(score),
                )
            )
    return found


def _across_sizes(run: Evidence, tested: Sequence[Evidence], settings: Settings) -> Family:
    own, along = near(run, tested, "size", settings)
    stops = [Stop(one.amount, _seeds(one)) for one in sorted(along, key=lambda one: one.size)]
    if run.spec.score_base:
        stops.insert(0, Stop("untuned", (System((run,), untuned=True),)))
    shared = [base_label(own.base), own.trained_on]
    shared += [noise_label(own.noise)] if own.noise else []
    return Family(f"{SIZES}:{run.id}", SIZES, ", ".join(shared), tuple(stops))


def _across_sides(
    run: Evidence, tested: Sequence[Evidence], settings: Settings
) -> Iterator[Family]:
    own, found = near(run, tested, "noise", settings)
    kinds = (
        [one.noise.kind for one in found if one.noise] if own.noise is None else [own.noise.kind]
    )
    for kind in dict.fromkeys(kinds):
        along = [one for one in found if one.noise is None or one.noise.kind == kind]
        along.sort(key=_side_order)
        ratios = {one.noise.ratio for one in along if one.noise}
        stops = [Stop(_side_label(one.noise, len(ratios)), _seeds(one)) for one in along]
        if len(stops) > 1:
            shared = f"{kind} noise, {own.amount}, {base_label(own.base)}, {own.trained_on}"
            yield Family(f"{kind} {SIDES}:{run.id}", SIDES, shared, tuple(stops))


def _seeds(condition: Condition) -> tuple[System, ...]:
    return tuple(System((run,)) for run in condition.runs)


def _trained(family: Family) -> frozenset[str]:
    """The runs that tell a family: the base beside each of them is the same one."""
    return frozenset(
        system.id for stop in family.stops for system in stop.systems if not system.untuned
    )


def _side_order(condition: Condition) -> tuple[int, float]:
    noise = condition.noise
    return (_SIDES.index(noise.side), noise.ratio) if noise else (-1, 0.0)


def _side_label(noise: Noise | None, ratios: int) -> str:
    if noise is None:
        return "clean"
    side = "both sides" if noise.side == "both" else noise.side
    return f"{side}, {noise.ratio:.0%}" if ratios > 1 else side


def _row(run: Evidence, direction: Direction, source: str, reference: str) -> dict[str, Any] | None:
    """The segment with a source and a reference; None where the run has none.

    Looks for the source as it is written in the file, so that one sentence over dozens of runs
    does not parse them whole.
    """
    try:
        data = translations_path(run.folder, direction).read_bytes()
    except OSError:
        return None
    written = json.dumps(source, ensure_ascii=False).encode()
    place = data.find(written)
    while place >= 0:
        start, end = data.rfind(b"\n", 0, place) + 1, data.find(b"\n", place)
        row = parse_line(data[start : end if end >= 0 else len(data)])
        if row and (row.get("source"), row.get("reference")) == (source, reference):
            return row
        place = data.find(written, place + 1)
    return None


def _counted(metric: str, reference: str, hypothesis: str, direction: Direction) -> float | None:
    if metric not in ("bleu", "chrf"):
        return None
    try:
        counted = lexical_statistics(metric, [reference], [hypothesis], direction.target)
    except MtlabError:
        return None
    return float(segment_scores(counted)[0])

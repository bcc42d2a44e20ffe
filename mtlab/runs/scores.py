"""Scoring a run, a direction at a time: its own translations and the base model's, side by side.

A direction that an earlier attempt has scored is not scored again. Of one that it was killed in,
BLEU, chrF and failures are made again, which gives the same; COMET goes on with what it has not
encoded yet.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from mtlab.runs import base_cache
from mtlab.runs.devices import own_gpus
from mtlab.runs.files import read_json, read_lines, write_json, write_lines
from mtlab.runs.reporting import Reporter
from mtlab.scoring import Score, SystemScores, score_systems
from mtlab.scoring.comet import CometScorer
from mtlab.settings import Settings
from mtlab.spec import Direction, RunSpec

FAILURE_PARTS = ("failures", "stacked", "languages")
"""What a system's scores say of its failures; runs of before have only the first."""


def score_tests(
    folder: Path,
    directions: Sequence[Direction],
    spec: RunSpec,
    settings: Settings,
    reporter: Reporter,
    base_keys: Mapping[Direction, str],
    stop_if_asked: Callable[[], None],
) -> None:
    """Score a run's translations; `scores.json` grows by a direction at a time.

    Args:
        folder: the run's; every direction is translated.
        directions: from which language into which, each.
        spec: the metrics.
        settings: the lab's.
        reporter: told how far it is, and what is not available.
        base_keys: where the base model's scores are kept, by direction; empty when it is not
            scored.
        stop_if_asked: called before each direction; raises to end it there.

    Raises:
        OSError: a file cannot be written.
    """
    known = read_json(folder / "scores.json") or {}
    scores: dict[str, dict[str, Any]] = {"scores": {}, "base": {}}
    with ExitStack() as stack:
        comet = None
        if "comet" in spec.metrics:
            # For all directions, on each GPU of the run; nothing is started before it is needed.
            scorer = CometScorer(
                settings,
                spec.comet_model,
                on_progress=lambda share, text: reporter.progress(0.0, text),
                devices=[{"CUDA_VISIBLE_DEVICES": gpu} for gpu in own_gpus()] or ({},),
            )
            comet = stack.enter_context(scorer)
        for number, direction in enumerate(directions):
            stop_if_asked()
            path = folder / "translations" / f"{direction}.jsonl"
            rows = read_lines(path)
            key = base_keys.get(direction)
            systems = _before(known, direction, rows, spec, key is not None)
            if systems is None:
                systems = score_direction(direction, rows, spec, settings, reporter, key, comet)
                write_lines(path, rows)
            own, base = systems
            scores["scores"][str(direction)] = own
            if base is not None:
                scores["base"][str(direction)] = base
            write_json(folder / "scores.json", scores)
            reporter.progress((number + 1) / len(directions))
    _tell_missing(scores["scores"], reporter)


def _before(
    known: Mapping[str, Any],
    direction: Direction,
    rows: Sequence[dict[str, Any]],
    spec: RunSpec,
    with_base: bool,
) -> tuple[dict[str, Any], dict[str, Any] | None] | None:
    """What an earlier attempt has scored of a direction, the run and its base; None if not all.

    What was not available then is tried again.
    """
    found: list[dict[str, Any]] = []
    for name, prefix in (("scores", ""), ("base", "base_"))[: 2 if with_base else 1]:
        scores = (known.get(name) or {}).get(str(direction)) or {}
        if not all(part in scores for part in (*spec.metrics, *FAILURE_PARTS)):
            return None
        if any(scores[metric].get("available") is False for metric in spec.metrics):
            return None
        if any(row.get(f"{prefix}failures") is None for row in rows):
            return None
        found.append(scores)
    return found[0], found[1] if with_base else None


def score_direction(
    direction: Direction,
    rows: Sequence[dict[str, Any]],
    spec: RunSpec,
    settings: Settings,
    reporter: Reporter,
    base_key: str | None,
    comet: CometScorer | None,
) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """Score a direction, and write each segment's failures and wrong language into `rows`.

    Args:
        direction: from which language into which.
        rows: the segments of `translations/<direction>.jsonl`.
        spec: the metrics.
        settings: the lab's.
        reporter: told when a metric is not available.
        base_key: where the base model's scores are kept; None when it is not scored.
        comet: the scorer that serves every direction of the run; None without COMET.

    Returns:
        `{metric: {...}, "failures": {...}, "stacked": {...}, "languages": {...}}` of the run and
        of the base model; None without one.
    """
    kept = base_cache.read_scores(settings, base_key) if base_key else None
    systems = {"run": [row["hypothesis"] for row in rows]}
    ended = {"run": [bool(row["ended"]) for row in rows]}
    if base_key and kept is None:
        systems["base"] = [row["base"] for row in rows]
        ended["base"] = [bool(row["base_ended"]) for row in rows]
    scored = score_systems(
        direction,
        [row["source"] for row in rows],
        [row["reference"] for row in rows],
        systems,
        spec.metrics,
        settings,
        spec.comet_model,
        ended=ended,
        template=spec.template,
        comet=comet,
    )
    found = {name: _plain(system) for name, system in scored.items()}
    if kept is None and "base" in found and base_key:
        kept = found["base"]
        base_cache.keep_scores(settings, base_key, kept)
    _mark(rows, "", found["run"])
    if kept is not None:
        _mark(rows, "base_", kept)
    return _shown(found["run"]), _shown(kept) if kept is not None else None


def _plain(system: SystemScores) -> dict[str, Any]:
    """A system's scores as JSON values, with what each metric says of each segment."""
    return {
        "scores": {metric: score.to_json() for metric, score in system.scores.items()},
        "segments": {
            metric: [round(value, 4) for value in score.segments]
            for metric, score in system.scores.items()
            if isinstance(score, Score) and score.segments is not None
        },
        **system.failures_json(),
        "flags": [list(flags) for flags in system.flags],
        "wrong": [verdict.language for verdict in system.verdicts],
    }


def _shown(system: Mapping[str, Any]) -> dict[str, Any]:
    return {**system["scores"], **{name: system[name] for name in FAILURE_PARTS}}


def _mark(rows: Sequence[dict[str, Any]], prefix: str, system: Mapping[str, Any]) -> None:
    for index, row in enumerate(rows):
        row[f"{prefix}failures"] = system["flags"][index]
        row[f"{prefix}language"] = system["wrong"][index]
        row[f"{prefix}scores"] = {
            metric: values[index] for metric, values in system["segments"].items()
        }


def _tell_missing(scores: Mapping[str, Mapping[str, Any]], reporter: Reporter) -> None:
    """Say what is not available, once for all directions with the same reason."""
    missing: dict[tuple[str, str], list[str]] = {}
    for direction, found in scores.items():
        for metric, score in found.items():
            if metric not in FAILURE_PARTS and score.get("available") is False:
                missing.setdefault((metric.upper(), str(score["why"])), []).append(direction)
    for (metric, why), directions in missing.items():
        text = f"{metric} is not available for {', '.join(directions)}: {why}"
        reporter.emit("note", text=text)

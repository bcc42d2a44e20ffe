"""Scoring one direction of a run: its own translations and the base model's, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mtlab.runs import base_cache
from mtlab.runs.reporting import Reporter
from mtlab.scoring import Score, SystemScores, score_systems
from mtlab.scoring.comet import CometScorer
from mtlab.settings import Settings
from mtlab.spec import Direction, RunSpec

FAILURE_PARTS = ("failures", "stacked", "languages")
"""What a system's scores say of its failures; runs of before have only the first."""


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
    _tell_missing(found["run"], direction, reporter)
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


def _tell_missing(system: Mapping[str, Any], direction: Direction, reporter: Reporter) -> None:
    for metric, score in system["scores"].items():
        if score.get("available") is False:
            text = f"{metric.upper()} is not available for {direction}: {score['why']}"
            reporter.emit("note", text=text)

"""Everything that is measured of systems that translated the same segments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mtlab.errors import InputError
from mtlab.scoring.failures import Verdict, flag, languages, shares, stacked
from mtlab.scoring.gating import gate
from mtlab.scoring.lexical import lexical_scores
from mtlab.scoring.values import Progress, Score, Unavailable, check_segments
from mtlab.settings import Settings
from mtlab.spec import Direction

if TYPE_CHECKING:
    from mtlab.scoring.comet import CometScorer

METRICS = ("bleu", "chrf", "comet")


@dataclass(frozen=True)
class SystemScores:
    """What was measured of one system.

    Attributes:
        scores: per metric a score, or why there is none.
        verdicts: how each segment fails, in the order of the input.
    """

    scores: Mapping[str, Score | Unavailable]
    verdicts: tuple[Verdict, ...] = field(repr=False)

    @property
    def failures(self) -> dict[str, float]:
        """The share of segments with each failure, 0 to 1."""
        return shares(self.verdicts)

    @property
    def flags(self) -> tuple[tuple[str, ...], ...]:
        """The failures of each segment, in the order of the input."""
        return tuple(verdict.names for verdict in self.verdicts)

    def failures_json(self) -> dict[str, Any]:
        """`{"failures": shares, "stacked": shares, "languages": shares}`, each 0 to 1.

        `failures` counts a segment under each failure it has, `stacked` once, under the one that
        tells the most, and `languages` under the wrong language it is in.
        """
        return {
            "failures": self.failures,
            "stacked": stacked(self.verdicts),
            "languages": languages(self.verdicts),
        }

    def to_json(self) -> dict[str, Any]:
        """`{metric: {...}, "failures": {...}, "stacked": {...}, "languages": {...}}`."""
        scores = {metric: score.to_json() for metric, score in self.scores.items()}
        return {**scores, **self.failures_json()}


def score_systems(
    direction: Direction,
    sources: Sequence[str],
    references: Sequence[str],
    systems: Mapping[str, Sequence[str]],
    metrics: Sequence[str] = METRICS,
    settings: Settings | None = None,
    comet_model: str | None = None,
    *,
    ended: Mapping[str, Sequence[bool]] | None = None,
    template: str | None = None,
    comet: CometScorer | None = None,
    on_progress: Progress | None = None,
) -> dict[str, SystemScores]:
    """Score systems that translated the same segments, and flag how each segment fails.

    Args:
        direction: from which language into which.
        sources: one per segment.
        references: one per segment.
        systems: hypotheses per system, by its name.
        metrics: which of `METRICS`; COMET is started only if it is among them.
        settings: where COMET's environment is; from the process's environment if not given.
        comet_model: a COMET model of the hub or a folder; the default one if not given.
        ended: per system and segment whether the model ended the translation itself; all did, for
            a system that is not named.
        template: the text of the prompt's template, where it is not the lab's own; it is no answer.
        comet: a scorer to use and leave open. Give the same one to several calls (directions) and
            the model is loaded once; without it, one is started and ended here.
        on_progress: told the share done, 0 to 1, and the step.

    Raises:
        InputError: an unknown metric; lists that are empty or of unequal length; an empty source
            or reference.
    """
    check_segments(references, systems, sources)
    _check_metrics(metrics)
    ended = ended or {}
    for name, marks in ended.items():
        if name in systems and len(marks) != len(references):
            raise InputError(
                f"{len(marks)} end marks of system '{name}' for {len(references)} segments",
                field="ended",
                fix="give one per segment",
            )
    verdicts = {
        name: tuple(
            flag(source, reference, hypothesis, direction, end, template)
            for source, reference, hypothesis, end in zip(
                sources, references, lines, ended.get(name, [True] * len(lines)), strict=True
            )
        )
        for name, lines in systems.items()
    }
    by_metric = {}
    for metric in dict.fromkeys(metrics):
        if metric == "comet":
            settings = settings or Settings.from_environment()
            by_metric[metric] = _comet_scores(
                sources, references, systems, settings, comet_model, comet, on_progress
            )
        else:
            by_metric[metric] = lexical_scores(metric, references, systems, direction.target)
    return {
        name: SystemScores(
            scores={
                metric: _gated(scores[name], verdicts[name]) for metric, scores in by_metric.items()
            },
            verdicts=verdicts[name],
        )
        for name in systems
    }


def _gated(score: Score | Unavailable, verdicts: Sequence[Verdict]) -> Score | Unavailable:
    return gate(score, verdicts) if isinstance(score, Score) else score


def _check_metrics(metrics: Sequence[str]) -> None:
    unknown = [metric for metric in metrics if metric not in METRICS]
    if unknown:
        raise InputError(
            f"'{unknown[0]}' is not a metric", field="metric", fix=f"use {', '.join(METRICS)}"
        )


def _comet_scores(
    sources: Sequence[str],
    references: Sequence[str],
    systems: Mapping[str, Sequence[str]],
    settings: Settings,
    model: str | None,
    scorer: CometScorer | None,
    on_progress: Progress | None,
) -> dict[str, Score | Unavailable]:
    if scorer is not None:
        return scorer.score(sources, references, systems)
    from mtlab.scoring.comet import DEFAULT_MODEL, CometScorer

    with CometScorer(settings, model or DEFAULT_MODEL, on_progress=on_progress) as scorer:
        return scorer.score(sources, references, systems)

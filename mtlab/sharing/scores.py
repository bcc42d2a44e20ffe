"""A run's scores in the hub's own form: what stands in a model card's `model-index`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtlab.corpora.hub import PREFIX, HubName
from mtlab.corpora.wmt import TEST_SETS
from mtlab.results.labels import GATED_COMET, METRICS
from mtlab.results.reading import read_scores
from mtlab.sharing.telling import without_folders
from mtlab.spec import Direction, RunSpec

if TYPE_CHECKING:
    from huggingface_hub import EvalResult

INTERVAL = "95%, bootstrap over segments"


@dataclass(frozen=True)
class Told:
    """One score.

    Attributes:
        direction: such as `de-en`.
        metric: of `mtlab.results.labels.METRICS`.
        value: the score.
        low: lower end of its interval; None without one.
        high: upper end of it.
        n: segments.
        signature: what is needed to get the number again.
        seed: of the bootstrap.
        untuned: the untuned base's score; None where it has none.
    """

    direction: str
    metric: str
    value: float
    low: float | None
    high: float | None
    n: int
    signature: str
    seed: int | None
    untuned: float | None


def told_scores(folder: Path) -> tuple[Told, ...]:
    """Every score of a run; gated COMET is one of its own where it differs from the raw one."""
    read = read_scores(folder)
    return tuple(
        told
        for direction, scores in read["scores"].items()
        for told in _of_direction(direction, scores, read["base"].get(direction) or {})
    )


def missing_metrics(folder: Path) -> dict[str, str]:
    """The metrics that were asked for and could not be had, each with why."""
    return {
        metric: str(score.get("why") or "not available")
        for scores in read_scores(folder)["scores"].values()
        for metric, score in scores.items()
        if metric in METRICS and isinstance(score, Mapping) and score.get("available") is False
    }


def eval_results(spec: RunSpec, folder: Path) -> list[EvalResult]:
    """One `EvalResult` per score, as `ModelCardData` takes them."""
    from huggingface_hub import EvalResult

    made = []
    for score in told_scores(folder):
        kind, name = test_set(spec, score.direction)
        arguments = {
            "low": score.low,
            "high": score.high,
            "interval": INTERVAL if score.low is not None else None,
            "n": score.n,
            "signature": score.signature,
            "seed": score.seed,
        }
        made.append(
            EvalResult(
                task_type="translation",
                task_name=f"Translation {score.direction}",
                dataset_type=kind,
                dataset_name=name,
                dataset_config=score.direction,
                dataset_split="test",
                metric_type="comet" if score.metric == GATED_COMET else score.metric,
                metric_name=METRICS[score.metric],
                metric_value=score.value,
                metric_args={key: one for key, one in arguments.items() if one is not None},
            )
        )
    return made


def test_set(spec: RunSpec, direction: str) -> tuple[str, str]:
    """What a direction was tested on: an identifier, and a name for people."""
    corpus = (spec.test_corpus or spec.corpus).strip()
    if corpus == "wmt":
        name = TEST_SETS.get(direction, corpus)
        return name, f"{name.upper()} {direction}"
    if corpus == "everyday":
        return "mtlab/everyday", f"mtlab's everyday sentences, {direction}"
    if corpus.startswith(PREFIX):
        repo = hub_data(corpus)
        return repo, f"{repo} {direction}"
    name = without_folders(corpus)
    return name, f"{name}, {direction}"


def hub_data(corpus: str) -> str:
    """The hub's name of a corpus `hub:OWNER/NAME,option=...`."""
    return HubName.parse(corpus).repo


def directions_of(spec: RunSpec) -> tuple[Direction, ...]:
    """All directions of a run, those trained on first."""
    return tuple(dict.fromkeys((*spec.train, *spec.tested)))


def _of_direction(
    direction: str, scores: Mapping[str, Any], untuned: Mapping[str, Any]
) -> Iterator[Told]:
    for metric, score in scores.items():
        if metric not in METRICS or not isinstance(score, Mapping) or "value" not in score:
            continue
        before = untuned.get(metric) or {}
        yield _told(direction, metric, score, score, before.get("value"))
        gated = score.get("gated")
        if metric == "comet" and gated and gated["value"] != score["value"]:
            value = (before.get("gated") or {}).get("value")
            yield _told(direction, GATED_COMET, gated, score, value)


def _told(
    direction: str,
    metric: str,
    numbers: Mapping[str, Any],
    score: Mapping[str, Any],
    untuned: float | None,
) -> Told:
    return Told(
        direction,
        metric,
        numbers["value"],
        numbers.get("low"),
        numbers.get("high"),
        score["n"],
        score["signature"],
        score.get("seed"),
        untuned,
    )

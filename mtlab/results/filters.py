"""What the matrix is of: one base, corpus, method and kind of noise, one metric and test direction.

Systems that are not trained have no method and no noise to filter by. Few-shot prompting is shown
with the base it prompts; a system that is taken as it is stands beside every base that is tested on
the same corpus.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields

from mtlab.methods import NONE
from mtlab.results.labels import METRICS
from mtlab.results.seen import SeenRun

MEAN = "mean"
"""In place of a tested direction: the mean over all that a run tested."""


@dataclass(frozen=True)
class Filters:
    """One choice each; empty where no run has anything to choose.

    Attributes:
        base: as in the specs.
        corpus: as in the specs.
        method: of the trained runs: `lora` or `full`.
        noise: the kind shown in the panels that are not clean.
        metric: `bleu`, `chrf` or `comet`.
        direction: a tested direction, or `MEAN`.
    """

    base: str = ""
    corpus: str = ""
    method: str = ""
    noise: str = ""
    metric: str = ""
    direction: str = MEAN


@dataclass(frozen=True)
class Choices:
    """What each filter may be: the values that occur, given the filters before it."""

    base: tuple[str, ...] = ()
    corpus: tuple[str, ...] = ()
    method: tuple[str, ...] = ()
    noise: tuple[str, ...] = ()
    metric: tuple[str, ...] = ()
    direction: tuple[str, ...] = (MEAN,)


FILTERS: tuple[str, ...] = tuple(field.name for field in fields(Filters))
"""The filters' names, in the order in which one narrows the next."""


def of_run(run: SeenRun) -> Filters:
    """Filters that show a run, as far as a run says."""
    trained = run.trains
    return Filters(
        base=run.spec.base if run.spec.training.method != NONE else "",
        corpus=run.spec.corpus,
        method=run.spec.training.method or "" if trained else "",
        noise=run.spec.noise.kind if run.spec.noise.active else "",
    )


def fitted(runs: Sequence[SeenRun], wanted: Filters) -> tuple[Filters, Choices]:
    """The filters nearest to what is wanted, and what each may be.

    A value that is empty or does not occur gives way to that of the newest run there is, given the
    filters before it; a metric to the first of BLEU, chrF and COMET; a direction to the mean.

    Args:
        runs: the newest first.
        wanted: perhaps from before some runs were deleted; or of another base.
    """
    own = [run for run in runs if run.spec.training.method != NONE] or list(runs)
    found: dict[str, str] = {}
    offered: dict[str, tuple[str, ...]] = {}

    def settle(name: str, value_of: Callable[[SeenRun], str], among: Iterable[SeenRun]) -> None:
        values = tuple(dict.fromkeys(value for run in among if (value := value_of(run))))
        asked = getattr(wanted, name)
        offered[name] = tuple(sorted(values))
        found[name] = asked if asked in values else (values[0] if values else "")

    settle("base", lambda run: run.spec.base, own)
    own = [run for run in own if run.spec.base == found["base"]]
    settle("corpus", lambda run: run.spec.corpus, own)
    own = [run for run in own if run.spec.corpus == found["corpus"]]
    trained = [run for run in own if run.trains]
    settle("method", lambda run: run.spec.training.method or "", trained)
    trained = [run for run in trained if run.spec.training.method == found["method"]]
    settle("noise", lambda run: run.spec.noise.kind if run.spec.noise.active else "", trained)
    shown = shown_by(runs, Filters(**found))
    metrics = {metric for run in shown for scores in run.scores.values() for metric in scores}
    metrics = metrics or {metric for run in shown for metric in run.spec.metrics}
    offered["metric"] = tuple(metric for metric in METRICS if metric in metrics)
    first = offered["metric"][0] if offered["metric"] else ""
    found["metric"] = wanted.metric if wanted.metric in metrics else first
    tested = sorted({str(one) for run in shown for one in run.spec.tested})
    offered["direction"] = (MEAN, *tested)
    found["direction"] = wanted.direction if wanted.direction in tested else MEAN
    return Filters(**found), Choices(**offered)


def shown_by(runs: Iterable[SeenRun], filters: Filters) -> list[SeenRun]:
    """The runs that filters let through, in the order given."""
    runs = list(runs)
    tested_on = {run.test_corpus for run in runs if _matches(run, filters)}
    return [
        run
        for run in runs
        if _matches(run, filters)
        or (run.spec.training.method == NONE and (run.test_corpus in tested_on or not tested_on))
    ]


def _matches(run: SeenRun, filters: Filters) -> bool:
    spec = run.spec
    if spec.training.method == NONE:
        return False
    if (spec.base, spec.corpus) != (filters.base, filters.corpus):
        return False
    if not run.trains:
        return True
    if spec.training.method != filters.method:
        return False
    return not spec.noise.active or spec.noise.kind == filters.noise

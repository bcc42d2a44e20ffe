"""Runs as one table: a row per run, system, direction and metric; and the mean over seeds.

pandas is imported when a table is made.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from mtlab.results.chains import chain_of
from mtlab.results.labels import GATED_COMET
from mtlab.results.reading import read_scores
from mtlab.runs.store import RunRecord
from mtlab.spec import RunSpec

if TYPE_CHECKING:
    import pandas

OF_THE_SPEC = (
    "group", "base", "cycle", "corpus", "test_corpus", "size", "train", "noise", "side", "ratio",
    "reverse", "method", "steps", "learning_rate", "recipe",
)  # fmt: skip
"""What is the same for runs that differ in their seed alone (`name`, `id` and `seed` are not)."""

COLUMNS = (
    "id", "name", "seed", *OF_THE_SPEC, "system", "direction", "metric",
    "value", "low", "high", "n", "signature",
)  # fmt: skip
"""The columns of `runs_frame` before those of `failure_columns`."""

STACKED = "stacked_"

_OF_A_SCORE = ("value", "low", "high", "n", "signature")


def failure_columns() -> tuple[str, ...]:
    """`off_target`, `copy`, ...: a column for every kind of failure, and `stacked_off_target`, ...
    for the share of segments of which it is the most telling one; all 0 to 1.
    """
    from mtlab.scoring.failures import FAILURES

    names = tuple(_column(name) for name in FAILURES)
    return (*names, *(STACKED + name for name in names))


def runs_frame(records: Iterable[RunRecord]) -> pandas.DataFrame:
    """The scores of runs, a row per run x system x direction x metric, with the columns `COLUMNS`
    and `failure_columns`.

    `system` is `run`, or `base` for the untuned model that was scored beside it. `base` is the
    model at the beginning of a chain of runs and `cycle` the runs of the chain, 1 for most. Without
    noise, `noise` is `none`, `side` empty and `ratio` 0, whatever the spec says of them. `recipe`
    is a short digest of everything else that is in a spec, so that runs which agree in all of
    `OF_THE_SPEC` differ in their seed alone. A metric that was not available has no row, nor has a
    run without scores.

    COMET whose failed segments were counted zero is a metric of its own, `gated-comet`.

    Args:
        records: as `RunStore.list` gives them.
    """
    return frame_of(row for record in records for row in rows_of(record))


def frame_of(rows: Iterable[Mapping[str, Any]]) -> pandas.DataFrame:
    """The table that rows make, each from `rows_of`."""
    import pandas

    return pandas.DataFrame(list(rows), columns=[*COLUMNS, *failure_columns()])


def over_seeds(frame: pandas.DataFrame) -> pandas.DataFrame:
    """The mean over the seeds of runs that are otherwise the same.

    Args:
        frame: from `runs_frame`.

    Returns:
        A row per experiment, system, direction and metric: `OF_THE_SPEC`, `system`, `direction`,
        `metric`, then `mean`, `min` and `max` of the value, `seeds`, `n` (segments; the fewest),
        `low` and `high`, the interval over segments where there is one run alone, and the means of
        the failure shares. A seed that was run twice counts with its mean.
    """
    keys = [*OF_THE_SPEC, "system", "direction", "metric"]
    shares = {flag: (flag, "mean") for flag in failure_columns()}
    each = frame.groupby([*keys, "seed"], dropna=False, sort=False, as_index=False).agg(
        value=("value", "mean"), n=("n", "min"), low=("low", "first"), high=("high", "first"),
        runs=("value", "size"), **shares,
    )  # fmt: skip
    means = each.groupby(keys, dropna=False, sort=False, as_index=False).agg(
        mean=("value", "mean"),
        min=("value", "min"),
        max=("value", "max"),
        seeds=("seed", "nunique"),
        n=("n", "min"),
        low=("low", "first"),
        high=("high", "first"),
        runs=("runs", "sum"),
        **shares,
    )
    means.loc[means["runs"] > 1, ["low", "high"]] = None
    return means.drop(columns="runs")


def over_directions(frame: pandas.DataFrame) -> pandas.DataFrame:
    """The mean over the directions of each run and system, in the same columns.

    Args:
        frame: from `runs_frame`.

    Returns:
        A row per run, system and metric. `direction` is `mean of 6 directions`, and names them
        where rows differ in which six; a run that tested one direction keeps its name. There is no
        interval over segments of a mean over several test sets.
    """
    keys = ["id", "name", "seed", *OF_THE_SPEC, "system", "metric"]
    shares = {flag: (flag, "mean") for flag in failure_columns()}
    means = frame.groupby(keys, dropna=False, sort=False, as_index=False).agg(
        direction=("direction", lambda names: " ".join(sorted(names))),
        value=("value", "mean"), low=("low", "first"), high=("high", "first"), n=("n", "min"),
        signature=("signature", "first"), **shares,
    )  # fmt: skip
    several = means["direction"].str.contains(" ")
    means.loc[several, ["low", "high"]] = None
    named = _names_of_sets(means["direction"].unique())
    means["direction"] = means["direction"].map(named)
    return means[[*COLUMNS, *failure_columns()]]


def _names_of_sets(sets: Iterable[str]) -> dict[str, str]:
    """What a mean over each set of directions, joined by spaces, is called."""
    counts = Counter(len(one.split()) for one in sets)
    return {one: _name_of_set(one.split(), alone=counts[len(one.split())] == 1) for one in sets}


def _name_of_set(directions: list[str], *, alone: bool) -> str:
    if len(directions) == 1:
        return directions[0]
    return f"mean of {len(directions)} directions" if alone else f"mean of {' '.join(directions)}"


def rows_of(record: RunRecord) -> Iterator[dict[str, Any]]:
    """A run's rows of `runs_frame`; none without scores."""
    found = read_scores(record.folder)
    if not found["scores"]:
        return
    spec = record.spec
    base, specs = chain_of(spec, record.folder.parent)
    shared = {
        "id": record.id,
        "name": spec.name,
        "seed": spec.seed,
        "group": spec.group,
        "base": base,
        "cycle": len(specs),
        "corpus": spec.corpus,
        "test_corpus": spec.test_corpus or spec.corpus,
        "size": spec.size,
        "train": " ".join(map(str, spec.train)),
        "noise": spec.noise.kind if spec.noise.active else "none",
        "side": spec.noise.side if spec.noise.active else "",
        "ratio": spec.noise.ratio if spec.noise.active else 0.0,
        "reverse": spec.reverse,
        "method": spec.training.method,
        "steps": spec.training.steps,
        "learning_rate": spec.training.learning_rate,
        "recipe": _recipe(spec),
    }
    for system, part in (("run", "scores"), ("base", "base")):
        for direction, values in found[part].items():
            failures = values.get("failures") or {}
            stacked = values.get("stacked") or {}
            of_direction = {
                **shared,
                "system": system,
                "direction": direction,
                **{_column(name): share for name, share in failures.items()},
                **{STACKED + _column(name): share for name, share in stacked.items()},
            }
            for metric, score in _with_gated(values):
                numbers = {key: score.get(key) for key in _OF_A_SCORE}
                yield {**of_direction, "metric": metric, **numbers}


def _with_gated(values: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each metric that was to be had, and gated COMET behind COMET."""
    for metric, score in values.items():
        if "value" not in score:  # not available, or not a metric but the failures
            continue
        yield metric, score
        if metric == "comet" and score.get("gated"):
            zeroed = f"{score.get('signature')}|failed:0"
            yield GATED_COMET, {**score, **score["gated"], "signature": zeroed}


def _recipe(spec: RunSpec) -> str:
    """Eight characters that tell apart what no column shows, such as the beam width."""
    data = spec.to_json()
    noise = data["noise"]
    for name in ("name", "group", "base", "corpus", "test_corpus", "size", "train", "reverse",
                 "seed"):  # fmt: skip
        del data[name]
    for name in ("kind", "side", "ratio", "translator"):  # a translator is of the same seed
        noise.pop(name, None)
    for name in ("method", "steps", "learning_rate", "checkpoint_steps"):
        del data["training"][name]
    text = json.dumps(data, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _column(failure: str) -> str:
    return failure.replace("-", "_")

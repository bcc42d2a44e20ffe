"""Runs as one table: a row per run, system, direction and metric; and the mean over seeds.

pandas is imported when a table is made.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from mtlab.errors import InputError
from mtlab.presets import RUN
from mtlab.results.reading import read_scores
from mtlab.runs.files import read_json
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

    Args:
        records: as `RunStore.list` gives them.
    """
    import pandas

    rows = [row for record in records for row in _rows(record)]
    return pandas.DataFrame(rows, columns=[*COLUMNS, *failure_columns()])


def over_seeds(frame: pandas.DataFrame) -> pandas.DataFrame:
    """The mean over the seeds of runs that are otherwise the same.

    Args:
        frame: from `runs_frame`.

    Returns:
        A row per experiment, system, direction and metric: `OF_THE_SPEC`, `system`, `direction`,
        `metric`, then `mean`, `min` and `max` of the value, `seeds`, `n` (segments; the fewest) and
        the means of the failure shares. A seed that was run twice counts with its mean.
    """
    keys = [*OF_THE_SPEC, "system", "direction", "metric"]
    shares = {flag: (flag, "mean") for flag in failure_columns()}
    each = frame.groupby([*keys, "seed"], dropna=False, sort=False, as_index=False).agg(
        value=("value", "mean"), n=("n", "min"), **shares
    )
    return each.groupby(keys, dropna=False, sort=False, as_index=False).agg(
        mean=("value", "mean"),
        min=("value", "min"),
        max=("value", "max"),
        seeds=("seed", "nunique"),
        n=("n", "min"),
        **shares,
    )


def _rows(record: RunRecord) -> Iterator[dict[str, Any]]:
    found = read_scores(record.folder)
    if not found["scores"]:
        return
    spec = record.spec
    base, cycle = _origin(record)
    shared = {
        "id": record.id,
        "name": spec.name,
        "seed": spec.seed,
        "group": spec.group,
        "base": base,
        "cycle": cycle,
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
            for metric, score in values.items():
                if "value" not in score:  # not available, or not a metric but the failures
                    continue
                yield {
                    **shared,
                    "system": system,
                    "direction": direction,
                    "metric": metric,
                    **{key: score.get(key) for key in ("value", "low", "high", "n", "signature")},
                    **{_column(name): share for name, share in failures.items()},
                    **{STACKED + _column(name): share for name, share in stacked.items()},
                }


def _origin(record: RunRecord) -> tuple[str, int]:
    """The model that a chain of runs began with, and how many runs the chain has."""
    base, cycle = record.spec.base, 1
    while base.startswith(RUN):
        data = read_json(record.folder.parent / base.removeprefix(RUN) / "spec.json")
        try:
            base = RunSpec.from_json(data or {}).base
        except InputError:
            break  # the run before was deleted
        cycle += 1
    return base, cycle


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

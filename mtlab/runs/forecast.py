"""How long a run will take on this machine, told from runs that finished on it."""

from __future__ import annotations

from collections.abc import Sequence

from mtlab.runs.store import RunRecord, RunStore
from mtlab.spec import RunSpec

_LOOKED_AT = 50


def forecast(spec: RunSpec, store: RunStore) -> str:
    """A sentence on the time `spec` will take; says so when there is no run to tell it from.

    Args:
        spec: complete.
        store: where to look for finished runs.
    """
    found = seconds_for(spec, store, store.list())
    if found is None:
        return "No run like this one has finished on this machine yet, so its time is not known."
    return f"About {in_words(found[0])} on this machine, by run {found[1]}."


def seconds_for(
    spec: RunSpec, store: RunStore, records: Sequence[RunRecord]
) -> tuple[float, str] | None:
    """The seconds that `spec` will take and the run they are told from; None without one.

    Scaled from the newest finished run with the same base model, method and test set: training by
    steps times batch, decoding by directions and, where both are limited, segments.

    Args:
        spec: complete.
        store: whose runs they are.
        records: where to look, the newest first.
    """
    needed = "train" if spec.training.trains else "decode"
    for record in records[:_LOOKED_AT]:
        other = record.spec
        if other.base != spec.base or other.training.method != spec.training.method:
            continue
        limits = _limits(spec, other)
        if limits is None:
            continue
        status = store.written_status(record.id)
        if status is None or status.state != "finished" or needed not in status.seconds:
            continue
        train = _work(spec) / max(1, _work(other))
        decode = limits * len(spec.tested) / max(1, len(other.tested))
        seconds = sum(
            value * {"train": train, "decode": decode, "base": decode, "score": decode}.get(name, 1)
            for name, value in status.seconds.items()
        )
        return seconds, record.id
    return None


def in_words(seconds: float) -> str:
    """A time as a person says it: `20 seconds`, `12 minutes`, `1.5 hours`."""
    if seconds < 90:
        return f"{max(5, round(seconds / 5) * 5)} seconds"
    minutes = seconds / 60
    return f"{round(minutes)} minutes" if minutes < 90 else f"{minutes / 60:.1f} hours"


def _limits(spec: RunSpec, other: RunSpec) -> float | None:
    """How many segments are tested for each of the other's; None where that cannot be told."""
    if (spec.test_corpus or spec.corpus) != (other.test_corpus or other.corpus):
        return None
    if spec.test_limit and other.test_limit:
        return spec.test_limit / other.test_limit
    return 1.0 if spec.test_limit == other.test_limit else None


def _work(spec: RunSpec) -> int:
    training = spec.training
    return (training.steps or 1) * (training.batch_size or 1) * (training.accumulation or 1)

"""Which other runs a run needs, read from its spec, and what of them stands in its way.

A run goes on from another (`base: run:ID`), or its noise is made by one (`noise.translator: ID`).
It may be queued as soon as those are; it starts when they have finished. What it waits for is
written into its status when it is queued: one that was launched on purpose from a run that was
stopped and kept waits for nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container
from typing import TYPE_CHECKING

from mtlab.errors import InputError
from mtlab.presets import RUN
from mtlab.runs.status import Status
from mtlab.spec import RunSpec

if TYPE_CHECKING:
    from mtlab.runs.store import RunStore

ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{4}")

Unfinished = Callable[[str], RunSpec | None]
"""The spec of a run that waits, runs or is about to be queued; None for any other id."""


def none_unfinished(run: str) -> RunSpec | None:
    """Where no run is taken for what it will be."""
    return None


def unfinished_in(store: RunStore) -> Unfinished:
    """The runs of a store that wait or run."""

    def unfinished(run: str) -> RunSpec | None:
        status = store.written_status(run)
        if status is None or status.is_over:
            return None
        return store.get(run).spec

    return unfinished


def named_runs(spec: RunSpec) -> tuple[str, ...]:
    """The ids of the runs that a spec names, whether they are there or not."""
    names = [spec.base.strip()] if spec.base.strip().startswith(RUN) else []
    if spec.noise.active and spec.noise.translator is not None:
        names.append(spec.noise.translator.strip())
    ids = (name.removeprefix(RUN).strip() for name in names)
    return tuple(dict.fromkeys(one for one in ids if ID.fullmatch(one)))


def as_if_made(spec: RunSpec, unfinished: Unfinished) -> RunSpec:
    """The spec with the base of each unfinished run in that run's place.

    A run's model has the shape of its base, so all that is checked before a run starts can be
    checked of this spec.

    Raises:
        InputError: an unfinished run trains nothing, and will have no model.
    """
    while (other := _of(spec.base, unfinished)) is not None:
        _refuse_untrained(other, spec.base, "base")
        spec = spec.with_changes(base=other.base, revision=spec.revision or other.revision)
    translator = spec.noise.translator
    if not spec.noise.active or translator is None:
        return spec
    name = translator.strip()
    while (other := _of(name, unfinished)) is not None:
        _refuse_untrained(other, name, "noise.translator")
        name = other.base
    if name == translator.strip():
        return spec
    return spec.with_changes(noise__translator=f"base:{name}")


def unmet(store: RunStore, status: Status) -> tuple[str, ...]:
    """The runs that a queued one still waits for."""
    found = {other: store.written_status(other) for other in status.needs}
    return tuple(run for run, one in found.items() if one is None or one.state != "finished")


def obstacle(store: RunStore, status: Status) -> dict[str, str | None] | None:
    """Why a queued run will never start, as `{what, why, fix}`; None while it may.

    A needed run whose status cannot be read is waited for.
    """
    for other in status.needs:
        needed = store.written_status(other)
        if needed is None and not store.folder(other).exists():
            return {
                "what": f"it needs the run {other}, which was deleted",
                "why": None,
                "fix": "launch it again with another base or translator",
            }
        if needed is not None and needed.is_over and needed.state != "finished":
            how = needed.state if needed.state == "failed" else f"was {needed.state}"
            return {
                "what": f"it needs the run {other}, which {how}",
                "why": None,
                "fix": f"resume {other}, then this run",
            }
    return None


def refuse_hopeless(store: RunStore, status: Status, besides: Container[str] = ()) -> None:
    """Refuse to queue a run again that waits for one which will not finish.

    Args:
        store: where the runs are.
        status: of the run.
        besides: runs that are queued again with it.

    Raises:
        InputError: it waits for such a run: says which.
    """
    left = tuple(run for run in status.needs if run not in besides)
    found = obstacle(store, status.with_changes(needs=left))
    if found is not None:
        raise InputError(f"run {status.id}: {found['what']}", field="run", fix=found["fix"])


def _of(name: str, unfinished: Unfinished) -> RunSpec | None:
    run = name.strip().removeprefix(RUN).strip()
    return unfinished(run) if ID.fullmatch(run) else None


def _refuse_untrained(spec: RunSpec, name: str, field: str) -> None:
    if not spec.training.trains:
        raise InputError(
            f"the run '{name.removeprefix(RUN)}' trains nothing, so it makes no model",
            field=field,
            fix=f"name its own base, {spec.base}, or a run that trains",
        )

"""Which run of a home a spec is: the one that does the same, whatever it is called."""

from __future__ import annotations

import json
from collections.abc import Mapping

from mtlab.defaults import complete
from mtlab.errors import InputError
from mtlab.presets import resolve_base
from mtlab.runs.needs import as_if_made
from mtlab.runs.placing import placed
from mtlab.runs.status import Status
from mtlab.runs.store import RunRecord, RunStore
from mtlab.spec import RunSpec


class RunsByWork:
    """The runs of a store as they are now, by what they do: the complete spec without its name,
    its group, and how many devices share the work.
    """

    def __init__(self, store: RunStore) -> None:
        self._store = store
        self._records: dict[str, list[RunRecord]] = {}
        for record in store.list():
            self._records.setdefault(_work(record.spec), []).append(record)

    def find(self, spec: RunSpec) -> tuple[str, Status] | None:
        """The run that a complete spec is: a finished one if there is any, else the newest."""
        store = self._store
        found = [
            (record.id, store.status(record.id))
            for record in self._records.get(_work(spec), [])
            if store.written_status(record.id) is not None
        ]
        return min(found, key=lambda one: one[1].state != "finished", default=None)


def as_launched(
    spec: RunSpec, store: RunStore, planned: Mapping[str, RunSpec] | None = None
) -> RunSpec:
    """The spec as a launch would write it down, of a translator named by its whole id.

    Args:
        spec: as a person gives it.
        store: where runs are found.
        planned: specs by id of runs it may need and that are not there yet.

    Raises:
        InputError: there is no such base.
    """

    def spec_of(run: str) -> RunSpec | None:
        if planned and run in planned:
            return planned[run]
        try:
            return store.get(run).spec
        except InputError:
            return None

    spec = placed(spec)
    return complete(spec, resolve_base(as_if_made(spec, spec_of).base, store.settings))


def _work(spec: RunSpec) -> str:
    data = {**spec.to_json(), "name": None, "group": None, "devices": 1, "strategy": "ddp"}
    return json.dumps(data, sort_keys=True)

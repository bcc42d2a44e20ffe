"""What to launch in an empty cell of the matrix: a run like its neighbours."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from mtlab.errors import InputError
from mtlab.results.matrix import TRAINED, Matrix, panel_of, row_of
from mtlab.results.seen import SeenRun


def empty_cell_spec(
    runs: Iterable[SeenRun], matrix: Matrix, panel: str, row: str, size: int
) -> tuple[SeenRun, dict[str, Any]]:
    """What to launch in an empty cell: a run to take all else from, and what to change in it.

    The run is the nearest: of the same row and panel if there is one, then of the row, then of the
    column, and of these the nearest in size, then the newest.

    Args:
        runs: the newest first.
        matrix: in which the cell is.
        panel: its panel's key.
        row: its row's key.
        size: its column.

    Raises:
        InputError: there is no such cell, or nothing can be launched there.
    """
    found = next(
        (
            (one, line)
            for one, line, cell in matrix.cells()
            if (one.key, line.key, cell.size) == (panel, row, size) and not cell.runs
        ),
        None,
    )
    if found is None:
        raise InputError("that cell is not there any more", field="cell", fix="choose another")
    place, line = found
    kind, there = line.kind, set(matrix.shown)
    alike = [run for run in runs if run.id in there and row_of(run).kind == kind]

    def distance(run: SeenRun) -> tuple[bool, bool, bool, float]:
        same_row, same_panel = row_of(run).key == row, panel_of(run).key == panel
        apart = abs(math.log((run.spec.size + 1) / (size + 1)))
        return not (same_row and same_panel), not same_row, run.spec.size != size, apart

    nearest = min(alike, key=distance)
    changes: dict[str, Any] = {"size": size}
    if line.kind == TRAINED:
        beside = next((run for run in alike if panel_of(run).key == place.key), None)
        noise = beside.spec.noise.model_dump(mode="json") if beside and place.kind else {}
        changes |= {"train": list(line.train), "reverse": line.reverse, "noise": noise}
    return nearest, changes

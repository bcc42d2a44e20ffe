"""Reading a run's translations and scores from its folder. pandas is imported only for a table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtlab.errors import InputError
from mtlab.runs.files import read_json, read_lines
from mtlab.runs.status import Status
from mtlab.spec import Direction

if TYPE_CHECKING:
    import pandas

COLUMNS = (
    "index",
    "source",
    "reference",
    "hypothesis",
    "base",
    "failures",
    "language",
    "base_failures",
    "base_language",
    "ended",
)


def read_scores(folder: Path) -> dict[str, Any]:
    """`scores.json`: `{"scores": {direction: {metric: {...}}}, "base": {...}}`; empty parts
    before there are any.
    """
    data = read_json(folder / "scores.json") or {}
    return {"scores": data.get("scores") or {}, "base": data.get("base") or {}}


def read_segments(folder: Path, direction: Direction) -> list[dict[str, Any]]:
    """The translated segments of a direction, as far as they are written.

    Raises:
        InputError: the run has no translations for it; says which it has.
    """
    path = folder / "translations" / f"{direction}.jsonl"
    if not path.exists():
        there = sorted(file.stem for file in (folder / "translations").glob("*.jsonl"))
        fix = f"choose one of {', '.join(there)}" if there else "wait until it has translated"
        raise InputError(
            f"run {folder.name} has no translations for {direction}", field="direction", fix=fix
        )
    return read_lines(path)


def translations_frame(folder: Path, direction: Direction) -> pandas.DataFrame:
    """`read_segments` as a table with the columns `COLUMNS`; missing values are None.

    Raises:
        InputError: the run has no translations for the direction.
    """
    import pandas

    rows = read_segments(folder, direction)
    data = {name: pandas.Series([row.get(name) for row in rows], dtype=object) for name in COLUMNS}
    return pandas.DataFrame(data)


def summary_of(folder: Path, status: Status) -> dict[str, Any]:
    """A run in one JSON object: `{id, state, seconds, scores, base}`, and `error` if it has one."""
    summary: dict[str, Any] = {
        "id": status.id,
        "state": status.state,
        "seconds": {phase: round(value, 3) for phase, value in status.seconds.items()},
        **read_scores(folder),
    }
    return {**summary, "error": status.error} if status.error else summary

"""Reading a run's translations and scores from its folder. pandas is imported only for a table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtlab.errors import InputError
from mtlab.runs.files import FileMark, file_mark, read_json, read_lines
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

_MOST_KEPT = 5_000
_SCORES: dict[str, tuple[FileMark, dict[str, Any]]] = {}


def read_scores(folder: Path) -> dict[str, Any]:
    """`scores.json`: `{"scores": {direction: {metric: {...}}}, "base": {...}}`; empty parts
    before there are any. What is in the parts is kept and shared: it is not to be changed.
    """
    data = _kept_scores(f"{folder}/scores.json")
    return {"scores": data.get("scores") or {}, "base": data.get("base") or {}}


def translations_path(folder: Path, direction: Direction) -> Path:
    """Where a run's translations of a direction lie, if it has any."""
    return folder / "translations" / f"{direction}.jsonl"


def _kept_scores(path: str) -> dict[str, Any]:
    """A file of scores, parsed once for as long as it stays the same."""
    mark = file_mark(path)
    kept = _SCORES.get(path)
    if kept is not None and kept[0] == mark:
        return kept[1]
    if mark is None:
        _SCORES.pop(path, None)
        return {}
    data = read_json(Path(path)) or {}
    while len(_SCORES) >= _MOST_KEPT:
        _SCORES.pop(next(iter(_SCORES)), None)
    _SCORES[path] = (mark, data)
    return data


def read_segments(folder: Path, direction: Direction) -> list[dict[str, Any]]:
    """The translated segments of a direction, as far as they are written; what is none is left out.

    Raises:
        InputError: the run has no translations for it; says which it has.
    """
    path = translations_path(folder, direction)
    if not path.exists():
        there = sorted(file.stem for file in (folder / "translations").glob("*.jsonl"))
        fix = f"choose one of {', '.join(there)}" if there else "wait until it has translated"
        raise InputError(
            f"run {folder.name} has no translations for {direction}", field="direction", fix=fix
        )
    return [row for row in read_lines(path) if _is_segment(row)]


def _is_segment(row: dict[str, Any]) -> bool:
    """Whether every field is of its kind, as a file that was cut or mended by hand may not have."""
    for name in ("source", "reference"):
        if not isinstance(row.get(name), str):
            return False
    for name in ("hypothesis", "base", "language", "base_language"):
        if not isinstance(row.get(name), str | None):
            return False
    for name in ("failures", "base_failures"):
        flags = row.get(name)
        if flags is not None and not (
            isinstance(flags, list) and all(isinstance(one, str) for one in flags)
        ):
            return False
    for name in ("scores", "base_scores"):
        scores = row.get(name)
        if scores is not None and not (
            isinstance(scores, dict)
            and all(isinstance(one, int | float) and abs(one) < 1e300 for one in scores.values())
        ):
            return False
    return True


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

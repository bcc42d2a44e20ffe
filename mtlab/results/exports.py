"""Tables of runs as files: CSV, JSON, LaTeX."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from mtlab.methods import trains
from mtlab.results.labels import METRICS, condition_labels, digits

if TYPE_CHECKING:
    import pandas

    from mtlab.results.findings import Finding

_BEGINS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_text(frame: pandas.DataFrame) -> str:
    """A row per run, system, direction and metric, with the signature of each number.

    A text that a spreadsheet would take for a formula gets an apostrophe before it.

    Args:
        frame: from `runs_frame`.
    """
    texts = frame.select_dtypes(exclude="number")
    safe = frame.assign(**{str(name): texts[name].map(_no_formula) for name in texts})
    text: str = safe.to_csv(index=False)
    return text


def _no_formula(cell: Any) -> Any:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_BEGINS_A_FORMULA) else cell


def json_text(frame: pandas.DataFrame, findings: Sequence[Finding]) -> str:
    """`{"scores": [a row each], "findings": [...]}`.

    Args:
        frame: from `runs_frame`.
        findings: what the runs show.
    """
    rows: list[dict[str, Any]] = json.loads(frame.to_json(orient="records"))
    data = {"scores": rows, "findings": [finding.to_json() for finding in findings]}
    return json.dumps(data, ensure_ascii=False, indent=1) + "\n"


def score_grid(means: pandas.DataFrame, metric: str) -> pandas.DataFrame:
    """Conditions down, test directions across, each cell a mean with its range over seeds.

    Args:
        means: from `over_seeds`.
        metric: one of `METRICS`.

    Returns:
        Text cells such as `11.0 (10.2-11.9)`; without a range where there is one seed.
    """
    return _grid(means[means["metric"] == metric], lambda row: _cell(row, metric))


def share_grid(means: pandas.DataFrame, failure: str) -> pandas.DataFrame:
    """Conditions down, test directions across, each cell the share of segments with a failure.

    Args:
        means: from `over_seeds`.
        failure: such as `off-target`.

    Returns:
        Text cells such as `12%`, the mean over seeds; empty where it was not sought.
    """
    column = failure.replace("-", "_")
    return _grid(means, lambda row: "" if row[column] != row[column] else f"{row[column]:.0%}")


def latex_table(means: pandas.DataFrame, metric: str, signatures: Sequence[str]) -> str:
    r"""`score_grid` as a LaTeX table; needs `\usepackage{booktabs}`.

    Args:
        means: from `over_seeds`.
        metric: one of `METRICS`.
        signatures: of the metric; they go into the caption.
    """
    grid = score_grid(means, metric)
    seeds = int(means["seeds"].max()) if len(means) else 0
    of_seeds = f"mean over {seeds} seeds (smallest to largest)" if seeds > 1 else "one seed"
    escaped = [one.replace("_", r"\_").replace("|", r"\textbar{}") for one in signatures]
    caption = f"{METRICS[metric]}, {of_seeds}. {'; '.join(escaped)}"
    named = grid.rename_axis(index="trained on", columns=None)
    text: str = named.reset_index().to_latex(
        index=False, escape=True, caption=caption, label=f"tab:{metric}", position="t"
    )
    return text


def _grid(chosen: pandas.DataFrame, cell: Callable[[Any], str]) -> pandas.DataFrame:
    chosen = chosen.sort_values("system", kind="stable")  # the untuned base first
    chosen = chosen.assign(
        condition=_conditions([dict(row) for _, row in chosen.iterrows()]),
        cell=[cell(row) for _, row in chosen.iterrows()],
    )
    keep = chosen.drop_duplicates(["condition", "direction"])
    grid = keep.pivot(index="condition", columns="direction", values="cell")
    order = list(dict.fromkeys(chosen["condition"]))
    columns = list(dict.fromkeys(chosen["direction"]))
    return grid.reindex(index=order, columns=columns).fillna("")


def _conditions(rows: list[dict[Any, Any]]) -> list[str]:
    """Row headers; the base leads, so that it need not be said behind."""
    runs = [row for row in rows if row["system"] != "base"]
    named = iter(condition_labels(runs, beside=("base", "size")))
    return [
        f"{row['base']} untuned" if row["system"] == "base" else _header(row, next(named))
        for row in rows
    ]


def _header(row: dict[Any, Any], label: str) -> str:
    trained = trains(row["method"])
    return f"{row['base']}, {row['size']:,} pairs, {label}" if trained else label


def _cell(row: Any, metric: str) -> str:
    form = f".{digits(metric)}f"
    value = f"{row['mean']:{form}}"
    return f"{value} ({row['min']:{form}}-{row['max']:{form}})" if row["seeds"] > 1 else value

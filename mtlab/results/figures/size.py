"""Quality against training size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mtlab.methods import learns_from, trains
from mtlab.results.figures.plot import Plot, Table
from mtlab.results.figures.rows import clean_and_many_first, grouped, own, rows
from mtlab.results.figures.style import (
    bars,
    bars_are,
    faint,
    interval,
    layout,
    line_style,
    sizes_axis,
    wrapped,
)
from mtlab.results.labels import METRICS, base_label, condition_label, condition_labels, digits

if TYPE_CHECKING:
    import pandas

MOST_LINES = 12
"""Lines drawn at once; the legend brings the others."""

_LINE = ["condition", "direction"]
_STEP_ASIDE, _MOST_ASIDE = 0.03, 0.18  # of the size, per line and for all lines


def size_lines(means: pandas.DataFrame) -> pandas.DataFrame:
    """The rows of conditions with several sizes, each line's in one piece and by size.

    Lines are told apart by `condition` and `direction`; clean training and many directions lead.

    Args:
        means: from `over_seeds`, of one metric.
    """
    runs = own(means)
    runs = runs.assign(condition=condition_labels(rows(runs), name=_label))
    sizes = runs.groupby(_LINE, sort=False)["size"].transform("nunique")
    return clean_and_many_first(runs[sizes > 1], "condition", "tested", "size")


def number_of_lines(means: pandas.DataFrame) -> int:
    """How many lines `size_plot` would draw."""
    return len(size_lines(means).drop_duplicates(_LINE))


def size_plot(means: pandas.DataFrame, metric: str) -> Plot | None:
    """A line per condition and test direction; None below two sizes.

    Args:
        means: from `over_seeds`.
        metric: one of `METRICS`.
    """
    runs = size_lines(means)
    if runs.empty:
        return None
    found = [(condition, direction, part) for (condition, direction), part in grouped(runs, _LINE)]
    conditions = list(dict.fromkeys(condition for condition, _, _ in found))
    directions = list(dict.fromkeys(direction for _, direction, _ in found))
    data, gains, cells = [], [], []
    form = f".{digits(metric)}f"
    for number, (condition, direction, part) in enumerate(found):
        label = _named(condition, direction, len(conditions), len(directions))
        both = len(conditions) > 1 and len(directions) > 1
        style = (conditions.index(condition), directions.index(direction))
        drawn = line_style(*style) if both else line_style(number, number)
        aside = _aside(number, len(found))
        data.append(
            {
                "x": [size * aside for size in part["size"]],
                "y": part["mean"].tolist(),
                "name": wrapped(label, 34),
                "mode": "lines+markers",
                "error_y": {**bars(part), "color": faint(drawn["line"]["color"])},
                "text": [f"{size:,} pairs" for size in part["size"]],
                "hovertemplate": f"%{{text}}: %{{y:{form}}}<extra>%{{fullData.name}}</extra>",
                **({} if number < MOST_LINES else {"visible": "legendonly"}),
                **drawn,
            }
        )
        gains.append(f"{label} {_ends(part, form)}")
        cells += [
            (
                condition, direction, f"{row['size']:,}", f"{row['mean']:{form}}",
                interval(row, form), str(row["n"]),
            )
            for row in rows(part)
        ]  # fmt: skip
    shape = layout("training pairs, or examples shown", METRICS[metric], entries=len(data))
    shape["xaxis"] |= sizes_axis(runs["size"])
    said = "; ".join(gains[:4]) + (f"; and {len(gains) - 4} more lines" if gains[4:] else "")
    summary = f"{METRICS[metric]}, from the smallest size to the largest: {said}."
    header = ("Condition", "Direction", "Pairs", METRICS[metric], "Interval", "Segments")
    return Plot(
        "size",
        "Quality against training size",
        summary,
        {"data": data, "layout": shape},
        Table(f"{METRICS[metric]} by training size", header, tuple(cells)),
        note=_note(runs, len(found)),
    )


def _label(row: Any) -> str:
    """A condition whose sizes a line joins."""
    if not trains(row["method"]):
        return f"{base_label(row['base'])}, {learns_from(row['method'], ())}"
    return condition_label(row)


def _named(condition: str, direction: str, conditions: int, directions: int) -> str:
    """What tells a line from the others, and nothing else."""
    if conditions == 1:
        return direction
    return f"{direction} after {condition}" if directions > 1 else condition


def _aside(number: int, lines: int) -> float:
    """What moves a line's points a little to the side, so that bars of one size do not overlap."""
    lines = min(lines, MOST_LINES)
    step = min(_STEP_ASIDE, _MOST_ASIDE / lines)
    return 1 + step * (number % lines - (lines - 1) / 2)


def _ends(part: Any, form: str) -> str:
    """Where a line begins and where it ends, in words."""
    first, last = part.iloc[0], part.iloc[-1]
    return (
        f"{first['mean']:{form}} ({first['size']:,} pairs) to {last['mean']:{form}} "
        f"({last['size']:,})"
    )


def _note(runs: pandas.DataFrame, count: int) -> str:
    text = bars_are(runs)
    if count > MOST_LINES:
        text += f" {MOST_LINES} of {count} lines are drawn; click others in the legend."
    return text

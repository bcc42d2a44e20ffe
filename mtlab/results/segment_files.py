"""Segments of several systems as a file: CSV for a spreadsheet, JSON lines for a program."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from typing import Any

from mtlab.results.labels import METRICS
from mtlab.results.side_by_side import SideBySide

# A spreadsheet takes a cell that begins so for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def segments_csv(
    view: SideBySide, names: Sequence[str], places: Sequence[int], metric: str, signature: str
) -> str:
    """A row per segment; per system its hypothesis, failures, wrong language and score.

    Text that a spreadsheet would take for a formula has an apostrophe before it.

    Args:
        view: the segments.
        names: what to call its systems.
        places: which segments, in which order.
        metric: whose segment scores.
        signature: of these scores.
    """
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    header = ["direction", "segment", "source", "reference"]
    for name in names:
        header += [name, f"{name}: failures", f"{name}: language"]
        header.append(f"{name}: sentence {METRICS[metric]}")
    writer.writerow([*map(_text, header), "signature"])
    for row in _rows(view, names, places, metric):
        cells: list[Any] = [row["direction"], row["segment"]]
        cells += [_text(row["source"]), _text(row["reference"])]
        for system in row["systems"]:
            cells += [_text(system["hypothesis"]), _text(" ".join(system["failures"] or ()))]
            cells += [_text(system["language"] or ""), system[metric]]
        writer.writerow([*cells, signature])
    return file.getvalue()


def segments_jsonl(
    view: SideBySide, names: Sequence[str], places: Sequence[int], metric: str, signature: str
) -> str:
    """An object per segment; arguments as `segments_csv`.

    `{direction, segment, source, reference, metric, signature, systems: [{name, run, untuned, seed,
    hypothesis, failures, language, METRIC}]}`; `segment` counts the first system's test set from 1.
    """
    rows = _rows(view, names, places, metric)
    return "".join(
        json.dumps({**row, "metric": metric, "signature": signature}, ensure_ascii=False) + "\n"
        for row in rows
    )


def _rows(
    view: SideBySide, names: Sequence[str], places: Sequence[int], metric: str
) -> Iterator[dict[str, Any]]:
    scores = view.scores(metric)
    for place in places:
        yield {
            "direction": str(view.direction),
            "segment": view.numbers[place],
            "source": view.sources[place],
            "reference": view.references[place],
            "systems": [
                {
                    "name": name,
                    "run": system.run.id,
                    "untuned": system.untuned,
                    "seed": system.run.spec.seed,
                    "hypothesis": segments.hypotheses[place],
                    "failures": None
                    if segments.failures is None
                    else list(segments.failures[place]),
                    "language": segments.languages[place],
                    metric: round(float(row[place]), 4),
                }
                for name, system, segments, row in zip(
                    names, view.systems, view.segments, scores, strict=True
                )
            ],
        }


def _text(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text

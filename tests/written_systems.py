"""Finished runs written by hand: invented sentences, and translations of a chosen quality."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mtlab.defaults import complete
from mtlab.presets import BASES
from mtlab.runs.files import write_json, write_lines
from mtlab.runs.status import Status
from mtlab.scoring.failures import FAILURES
from mtlab.scoring.lexical import lexical_scores
from mtlab.spec import RunSpec

WORDS = (
    "the old ferry leaves before noon and nobody on the quiet island knows why our neighbour "
    "bakes bread while rain falls over seven green hills near a mill with twelve windows"
).split()

OFF_TARGET = "wo bin ich denn nun"

Row = dict[str, Any]


def sentences(n: int, seed: int = 1) -> list[str]:
    """Sentences of 5 to 15 words."""
    draw = random.Random(seed)
    return [" ".join(draw.choices(WORDS, k=draw.randint(5, 15))) for _ in range(n)]


def damaged(lines: Sequence[str], share: float, draw: random.Random) -> list[str]:
    """The lines with a share of their words exchanged for others."""
    return [
        " ".join(draw.choice(WORDS) if draw.random() < share else word for word in line.split())
        for line in lines
    ]


def segments(n: int, harm: float, *, seed: int = 0, off_target: float = 0.0) -> list[Row]:
    """Segments as a run writes them, its untuned base beside it.

    Args:
        n: how many.
        harm: the share of words that the run has wrong; the base has 95%.
        seed: of the damage; the sentences are the same for all.
        off_target: the share of segments, from the first on, that are in German.
    """
    references = sentences(n)
    hypotheses = damaged(references, harm, random.Random(1000 + seed))
    untuned = damaged(references, 0.95, random.Random(1))
    rows = []
    for index, (reference, hypothesis) in enumerate(zip(references, hypotheses, strict=True)):
        lost = index < round(n * off_target)
        rows.append(
            {
                "index": index,
                "source": f"Quelle {index}: {' '.join(reversed(reference.split()))}",
                "reference": reference,
                "hypothesis": OFF_TARGET if lost else hypothesis,
                "base": untuned[index],
                "failures": ["off-target"] if lost else [],
                "language": "de" if lost else None,
                "base_failures": ["repetition"] if index % 3 == 0 else [],
                "base_language": None,
            }
        )
    return rows


def write_run(home: Path, number: int, rows: Mapping[str, Sequence[Row]], **fields: Any) -> str:
    """Write a finished run into a home.

    Args:
        home: the home's folder.
        number: makes its id; the larger, the newer.
        rows: per direction the segments, as `segments` makes them.
        fields: of its spec, beside the directions.

    Returns:
        Its id.
    """
    run = f"20260101-{number:06d}-{number:04x}"
    folder = home / "runs" / run
    (folder / "translations").mkdir(parents=True)
    spec = RunSpec(
        **{"train": ("de-en",), "test": tuple(rows), "metrics": ("bleu", "chrf")} | fields
    )
    spec = complete(spec, BASES[spec.base])
    write_json(folder / "spec.json", spec.to_json(), durable=False)
    status = Status(run, state="finished", phase="score", progress=1.0, created=float(number))
    write_json(folder / "status.json", status.to_json(), durable=False)
    scores: dict[str, dict[str, Any]] = {"scores": {}, "base": {}}
    for direction, lines in rows.items():
        target = direction.partition("-")[2]
        for part, name, prefix in (("scores", "hypothesis", ""), ("base", "base", "base_")):
            if any(row[name] is None for row in lines):
                continue
            scores[part][direction] = _scored(lines, name, prefix, target)
        write_lines(folder / "translations" / f"{direction}.jsonl", lines)
    write_json(folder / "scores.json", scores, durable=False)
    return run


def _scored(lines: Sequence[Row], name: str, prefix: str, target: str) -> dict[str, Any]:
    """Corpus scores and shares of failures; each row is given its segment scores."""
    found: dict[str, Any] = {}
    for row in lines:
        row[f"{prefix}scores"] = {}
    for metric in ("bleu", "chrf"):
        references = [row["reference"] for row in lines]
        score = lexical_scores(metric, references, {"one": [row[name] for row in lines]}, target)[
            "one"
        ]
        found[metric] = score.to_json()
        for row, value in zip(lines, score.segments or (), strict=True):
            row[f"{prefix}scores"][metric] = round(value, 4)
    flags = [row[f"{prefix}failures"] for row in lines]
    found["failures"] = {one: sum(one in each for each in flags) / len(flags) for one in FAILURES}
    return found

"""Finished runs, written by hand: a spec and translations of a chosen quality."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mtlab.defaults import complete
from mtlab.presets import BASES
from mtlab.results.evidence import Evidence
from mtlab.runs.files import write_lines
from mtlab.spec import RunSpec

WORDS = (
    "the old ferry leaves before noon and nobody on the quiet island knows why our neighbour "
    "bakes bread while rain falls over seven green hills near a mill with twelve windows"
).split()

MakeRun = Callable[..., Evidence]


def sentences(n: int, seed: int = 1) -> list[str]:
    draw = random.Random(seed)
    return [" ".join(draw.choices(WORDS, k=draw.randint(5, 15))) for _ in range(n)]


def damaged(lines: list[str], share: float, draw: random.Random) -> list[str]:
    """The lines with a share of their words exchanged for others."""
    return [
        " ".join(draw.choice(WORDS) if draw.random() < share else word for word in line.split())
        for line in lines
    ]


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """Write a run: `harm` and `off_target` per direction are shares of words and of segments."""
    count = 0

    def make(
        harm: dict[str, float],
        *,
        n: int = 80,
        off_target: dict[str, float] | None = None,
        comet: float | None = None,
        test_seed: int = 1,
        **fields: Any,
    ) -> Evidence:
        nonlocal count
        count += 1
        spec = RunSpec(**{"test": tuple(harm), "train": ("de-en",), **fields})
        folder = tmp_path / f"run-{count}"
        (folder / "translations").mkdir(parents=True)
        for number, (direction, share) in enumerate(harm.items()):
            draw = random.Random(1000 * spec.seed + number + 17 * count)
            references = sentences(n, test_seed + number)
            hypotheses = damaged(references, share, draw)
            untuned = damaged(references, 0.95, random.Random(number))
            lost = round(n * (off_target or {}).get(direction, 0.0))
            rows = [
                {
                    "index": index,
                    "source": f"source {index}",
                    "reference": reference,
                    "hypothesis": "wo bin ich denn nun" if index < lost else hypothesis,
                    "base": untuned[index],
                    "failures": ["off-target"] if index < lost else [],
                    "base_failures": [],
                    "scores": {} if comet is None else {"comet": comet + index % 7 / 100},
                }
                for index, (reference, hypothesis) in enumerate(
                    zip(references, hypotheses, strict=True)
                )
            ]
            write_lines(folder / "translations" / f"{direction}.jsonl", rows)
        return Evidence(f"run-{count}", complete(spec, BASES[spec.base]), folder)

    return make

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
from tests.written_systems import OFF_TARGET, damaged, sentences

MakeRun = Callable[..., Evidence]


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
                    "hypothesis": OFF_TARGET if index < lost else hypothesis,
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
        base = BASES["nano" if spec.base.startswith("run:") else spec.base]
        return Evidence(f"run-{count}", complete(spec, base), folder)

    return make

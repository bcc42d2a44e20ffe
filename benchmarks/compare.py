"""How long the Compare tab's answers take: 2,000 segments, four systems, a family of sizes.

    python -m benchmarks.compare

Writes invented finished runs into a temporary home and times what the tab's handlers do, without
the browser, in milliseconds of the process's own time: other work on the machine does not count.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from mtlab.lab import Lab
from mtlab.results.segments_view import Filter, Order
from mtlab.settings import Settings
from mtlab.ui.compare_answers import choose, file_of, listing, parts, significance
from mtlab.ui.compare_desk import Desk
from mtlab.ui.compare_form import Form
from tests.written_systems import segments, write_run

SEGMENTS = 2000
SIZES = (16, 32, 64, 128, 256, 512, 1024, 2048)


def main() -> None:
    """Print a line per answer: its first time, and the median of five more."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        ids = [
            write_run(home, number, {"de-en": _rows(number)}, size=size)
            for number, size in enumerate(SIZES, 1)
        ]
        desk = Desk(Lab(Settings.from_environment({"MTLAB_HOME": folder})))
        desk.choices()
        chosen = [f"base:{ids[-1]}", *ids[-3:]]
        form = Form()
        showing = choose(desk, chosen, "de-en").showing
        desk = Desk(Lab(Settings.from_environment({"MTLAB_HOME": folder})))

        def first() -> Any:
            return choose(desk, chosen, "de-en"), listing(desk, showing, form)

        middle = SEGMENTS // 2
        filtered = Filter(failure="off-target", length="medium", text="ferry")
        answers: dict[str, Callable[[], Any]] = {
            "first view: scores and 25 segments": first,
            "significance, BLEU and chrF": lambda: significance(desk, showing, "chosen"),
            "parts by length and failure": lambda: parts(desk, showing, "chrf"),
            "another page": lambda: listing(desk, showing, replace(form, page=40)),
            "sorted by the largest difference": lambda: listing(
                desk, showing, replace(form, order=Order("difference"))
            ),
            "sorted by the worst BLEU of B": lambda: listing(
                desk, showing, replace(form, order=Order("worst", 1), metric="bleu")
            ),
            "filtered by failure, length and text": lambda: listing(
                desk, showing, replace(form, wanted=filtered)
            ),
            "a segment opened": lambda: listing(
                desk, showing, replace(form, page=40, opened=middle)
            ),
            "all of it as CSV": lambda: file_of(desk, showing, form, "csv"),
        }
        print(f"{SEGMENTS:,} segments, {len(chosen)} systems, {len(ids)} runs; CPU ms")
        print(f"{'':40}{'first':>8}{'then':>8}")
        for name, answer in answers.items():
            times = [_milliseconds(answer) for _ in range(6)]
            print(f"{name:40}{times[0]:8.0f}{sorted(times[1:])[2]:8.0f}")


def _rows(number: int) -> list[dict[str, Any]]:
    return segments(SEGMENTS, 0.8 / number, seed=number, off_target=0.05 * (number % 3))


def _milliseconds(answer: Callable[[], Any]) -> float:
    began = time.process_time()
    answer()
    return 1000 * (time.process_time() - began)


if __name__ == "__main__":
    main()

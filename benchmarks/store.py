"""How long one poll of the Runs and Results tabs takes with 500 finished runs in the store.

    python -m benchmarks.store [--runs 500] [--like RUN_FOLDER] [--polls 40]

A poll is `lab.runs()` with every run's status and scores, and `lab.mark()` is what tells whether it
is worth one. Made in a temporary home: copies of a run's folder, or made-up runs of six directions
where none is given. Timed cold (a lab that has just been opened), with nothing changed, and with
one run's scores written anew between two polls.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from mtlab import Lab, RunSpec
from mtlab.defaults import complete
from mtlab.presets import BASES
from mtlab.runs.files import read_json, write_json
from mtlab.runs.status import Status
from mtlab.settings import Settings

DIRECTIONS = ("de-en", "en-de", "fr-en", "en-fr", "is-en", "en-is")


def main() -> int:
    """Measure and print; exit status 1 when an unchanged poll takes 50 ms or more."""
    parser = argparse.ArgumentParser(description=__doc__, add_help=True)
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--like", type=Path, metavar="RUN_FOLDER", help="a finished run to copy")
    parser.add_argument("--polls", type=int, default=40)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        settings = replace(Settings.from_environment(), home=Path(home))
        fill(settings, args.runs, args.like)
        lab = Lab(settings)
        print(f"{args.runs} finished runs, milliseconds a poll: median, worst, median of CPU time")
        _row("cold", [_timed(lambda: poll(lab))])
        unchanged = [_timed(lambda: poll(lab)) for _ in range(args.polls)]
        median = _row("nothing changed", unchanged)
        changed = []
        for number in range(args.polls):
            folder = lab.runs()[number % args.runs].folder
            write_json(folder / "scores.json", read_json(folder / "scores.json"))
            changed.append(_timed(lambda: poll(lab)))
        _row("one run changed", changed)
        _row("mark, nothing changed", [_timed(lab.mark) for _ in range(args.polls)])
    return 1 if median >= 50 else 0


def poll(lab: Lab) -> int:
    """What a tab reads of every run; how many have scores."""
    read = [(run.status().state, run.scores(), run.base_scores()) for run in lab.runs()]
    return sum(bool(scores) for _, scores, _ in read)


def fill(settings: Settings, runs: int, like: Path | None = None) -> None:
    """Make finished runs in a home, without any model."""
    for number in range(runs):
        run = f"202601{1 + number // 1000:02d}-{number // 60 % 24:02d}{number % 60:02d}00-0000"
        folder = settings.runs / run
        if like is not None:
            shutil.copytree(like, folder)
            status = {**(read_json(folder / "status.json") or {}), "id": run}
        else:
            folder.mkdir(parents=True)
            _write_made_up(folder, number)
            status = Status(run, state="finished", progress=1.0, ended=float(number)).to_json()
        write_json(folder / "status.json", status, durable=False)


def _write_made_up(folder: Path, number: int) -> None:
    spec = RunSpec(size=16 * (1 + number % 8), train=DIRECTIONS, seed=number)
    write_json(folder / "spec.json", complete(spec, BASES["nano"]).to_json(), durable=False)
    chance = random.Random(number)
    systems = {
        part: {direction: _made_up_scores(chance) for direction in DIRECTIONS}
        for part in ("scores", "base")
    }
    write_json(folder / "scores.json", systems, durable=False)
    events = ({"seq": n, "time": 1.0, "kind": "note", "text": "made up"} for n in range(1, 40))
    (folder / "events.jsonl").write_text("".join(json.dumps(one) + "\n" for one in events))


def _made_up_scores(chance: random.Random) -> dict[str, Any]:
    value = chance.uniform(0, 40)
    score = {
        "available": True, "value": value, "low": value - 2, "high": value + 2, "n": 64, "seed": 0,
        "signature": "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.5.1",
        "gated": {"value": value, "failed": 3},
    }  # fmt: skip
    shares = {name: chance.random() / 8 for name in ("empty", "copy", "off-target", "repetition")}
    return {"bleu": score, "chrf": score, "failures": shares, "stacked": shares, "languages": {}}


def _timed(call: Callable[[], object]) -> tuple[float, float]:
    began, worked = time.perf_counter(), time.process_time()
    call()
    return 1000 * (time.perf_counter() - began), 1000 * (time.process_time() - worked)


def _row(name: str, times: list[tuple[float, float]]) -> float:
    """Print a row; gives the median."""
    wall, cpu = ([one[place] for one in times] for place in (0, 1))
    median = statistics.median(wall)
    print(f"  {name:24} {median:8.2f} {max(wall):8.2f} {statistics.median(cpu):8.2f}")
    return median


if __name__ == "__main__":
    raise SystemExit(main())

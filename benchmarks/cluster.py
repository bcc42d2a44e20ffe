"""What a run costs beside its work on a Ray cluster, and whether all that it says comes home.

    python -m benchmarks.cluster [--runs 64] [--nodes 2] [--steps 100]

A real cluster of nodes of one CPU each on this machine, and short runs that only pretend: each is a
process of its own that tells of some steps, makes a file and ends at once. What a run then takes is
all overhead: its place, its files out, its process, its events and its file home, its end. Held:

    less than 3 s of a node for each run; no event lost, none told twice; every file home
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from mtlab import Lab
from mtlab.experiments import Experiment
from mtlab.lab import Run
from mtlab.settings import Settings
from tests.ray_cluster import ray_cluster

MOST_SECONDS = 3.0


def main() -> int:
    """Measure and print; exit status 1 when something is not held."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=64)
    parser.add_argument("--nodes", type=int, default=2)
    parser.add_argument("--steps", type=int, default=100)
    args = parser.parse_args()
    quick = {"base": "nano", "train": ["de-en"], "size": 4, "training": {"steps": args.steps}}
    experiment = Experiment("fake", quick, seeds=tuple(range(args.runs)))
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        settings = replace(Settings.from_environment(), home=folder / "home", threads=1)
        with ray_cluster(folder / "node") as cluster:
            for _ in range(args.nodes - 1):
                cluster.add()
            lab = Lab(settings)
            asked = time.monotonic()
            sweep = lab.sweep(experiment, executor="ray", address=cluster.address)
            began = time.monotonic()
            ended = sweep.run()
            took = time.monotonic() - began
            lab.close()
            lost = [run.id for run in lab.runs() if not _is_whole(run, args.steps)]
            finished = sum(one.state == "finished" for one in ended)
            each = took * args.nodes / args.runs
            waits = [_seconds_to_home(run) for run in lab.runs()]
    print(f"{finished} of {args.runs} runs finished on {args.nodes} nodes in {took:.1f} s")
    print(f"asking the cluster what it has took {began - asked:.1f} s, once")
    print(f"a run took {each:.2f} s of a node (held to {MOST_SECONDS:.0f} s)")
    print(
        f"its end was known at home {statistics.median(waits):.2f} s after it was said there "
        f"(median; at worst {max(waits):.2f} s)"
    )
    print(f"{args.runs * (args.steps + 2):,} events, runs that lack one or a file: {len(lost)}")
    return 0 if finished == args.runs and not lost and each < MOST_SECONDS else 1


def _is_whole(run: Run, steps: int) -> bool:
    events = run.events()
    made = run.folder / "made.bin"
    return (
        [event.seq for event in events] == list(range(1, steps + 3))
        and [event["step"] for event in events if event.kind == "step"] == list(range(1, steps + 1))
        and events[-1].kind == "end"
        and made.is_file()
        and made.stat().st_size == steps
    )


def _seconds_to_home(run: Run) -> float:
    return (run.status().ended or 0.0) - run.events()[-1].time


if __name__ == "__main__":
    raise SystemExit(main())

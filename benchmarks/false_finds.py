"""How often a comparison of conditions finds a difference that is not there, by number of seeds.

    python -m benchmarks.false_finds

Two conditions of equal quality; segment scores are normal, and each seed is off by an amount whose
spread is three times the standard error of a mean over the 100 segments. A test at 0.05 should find
something in 5% of the trials.
"""

from __future__ import annotations

import sys

import numpy as np

from mtlab.scoring.bootstrap import SEED
from mtlab.scoring.sampling import Sampled, joined, sample
from mtlab.scoring.significance import Names, compare_conditions
from mtlab.scoring.statistics import mean_statistics

TRIALS = 1000
SEGMENTS = 100
SPREAD = 3 / SEGMENTS**0.5
SEEDS = (1, 2, 3, 5, 8)


def main() -> int:
    """Print a table; returns an exit status."""
    generator = np.random.default_rng(1)
    print("| seeds | found where there is nothing |\n|---:|---:|")
    for seeds in SEEDS:
        found = 0
        for _ in range(TRIALS):
            one, other = (_condition(seeds, generator) for _ in range(2))
            result = compare_conditions("mean", Names("one", "other"), one, other, paired=False)
            found += result.found
        print(f"| {seeds} | {found / TRIALS:.1%} |")
    return 0


def _condition(seeds: int, generator: np.random.Generator) -> Sampled:
    offsets = generator.normal(0, SPREAD, seeds)
    rows = [mean_statistics("mean", generator.normal(one, 1, SEGMENTS)) for one in offsets]
    return joined(sample(rows, SEED))


if __name__ == "__main__":
    sys.exit(main())

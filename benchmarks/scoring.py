"""How long failures, BLEU, chrF and their intervals take for several systems on one test set.

    python -m benchmarks.scoring [--segments 2000] [--systems 4] [--target en]

The sentences are the bundled everyday ones, joined two by two to the length of a news sentence, no
two alike; each system is the references with another share of words lost, and a tenth of them
copied, looped or cut. COMET is left out: its time is the model's.
"""

from __future__ import annotations

import argparse
import random
import sys
import time

from mtlab.corpora.everyday import open_everyday
from mtlab.scoring import score_systems
from mtlab.scoring.failures import flag
from mtlab.spec import Direction


def texts(n: int, way: Direction) -> tuple[list[str], list[str]]:
    """`n` sources and references, each of two sentences."""
    corpus = open_everyday()
    pairs = [*corpus.pool(way), *corpus.test(way)]
    draw = random.Random(1)
    chosen = [draw.sample(pairs, 2) for _ in range(n)]
    return (
        [f"{one.source} {other.source}" for one, other in chosen],
        [f"{one.target} {other.target}" for one, other in chosen],
    )


def system(sources: list[str], references: list[str], seed: int) -> list[str]:
    """Hypotheses of a middling system."""
    draw = random.Random(seed)
    lines = []
    for source, reference in zip(sources, references, strict=True):
        words = [word for word in reference.split() if draw.random() > seed / 20]
        fate = draw.random()
        if fate < 0.04:
            words = source.split()
        elif fate < 0.07:
            words = words[:3] * 40
        elif fate < 0.10:
            words = words[: len(words) // 2]
        lines.append(" ".join(words))
    return lines


def main() -> int:
    """Measure and print; returns an exit status."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--segments", type=int, default=2000)
    parser.add_argument("--systems", type=int, default=4)
    parser.add_argument("--target", default="en", choices=("en", "de", "fr", "is"))
    args = parser.parse_args()
    way = Direction(source="de" if args.target != "de" else "en", target=args.target)
    sources, references = texts(args.segments, way)
    systems = {
        f"system {seed}": system(sources, references, seed) for seed in range(1, args.systems + 1)
    }
    flag("Ja.", None, "Yes, that is so.", way)  # loads the language model
    parts: tuple[tuple[str, tuple[str, ...]], ...] = (
        ("failures", ()),
        ("failures, BLEU", ("bleu",)),
        ("failures, chrF", ("chrf",)),
        ("failures, BLEU, chrF", ("bleu", "chrf")),
    )
    for what, metrics in parts:
        wall, processor = time.perf_counter(), time.process_time()
        score_systems(way, sources, references, systems, metrics)
        wall, processor = time.perf_counter() - wall, time.process_time() - processor
        print(f"{what}: {wall:.1f} s, processor {processor:.1f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

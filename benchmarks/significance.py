"""How long failures, scores, intervals and paired tests take: 2,000 segments, four systems.

    python -m benchmarks.significance [--segments 2000] [--systems 4]

Synthetic text: sentences drawn from a short word list, 8 to 40 words each, and systems that get a
part of the words wrong; a tenth of each system's output is copied from the source. The paired test
is timed beside sacrebleu's own on the same text, and has to give the same p-values.
"""

from __future__ import annotations

import argparse
import random
import sys
import time

from sacrebleu.metrics import BLEU, CHRF
from sacrebleu.significance import PairedTest

from mtlab.scoring import score_systems
from mtlab.scoring.significance import compare_systems
from mtlab.spec import Direction

ENGLISH = (
    "the old ferry leaves before noon and nobody on the quiet island knows why our neighbour "
    "bakes bread while rain falls over seven green hills near a mill with twelve windows it was "
    "late when she opened a letter from his brother who had moved to another town last spring"
).split()
GERMAN = (
    "die alte Fähre legt vor Mittag ab und niemand auf der stillen Insel weiß warum unser Nachbar "
    "Brot backt während Regen über sieben grüne Hügel fällt bei einer Mühle mit zwölf Fenstern es "
    "war spät als sie einen Brief von seinem Bruder öffnete der im Frühling weggezogen ist"
).split()


def main() -> int:
    """Measure and print; returns an exit status, 1 if a p-value differs from sacrebleu's."""
    parser = argparse.ArgumentParser(description=__doc__, add_help=True)
    parser.add_argument("--segments", type=int, default=2000)
    parser.add_argument("--systems", type=int, default=4)
    args = parser.parse_args()
    sources, references, systems = _text(args.segments, args.systems)
    direction = Direction.parse("de-en")
    began = time.perf_counter()
    scored = score_systems(direction, sources, references, systems, ("bleu", "chrf"))
    scores_done = time.perf_counter()
    compared = compare_systems({name: one.scores for name, one in scored.items()})
    done = time.perf_counter()
    metrics = {"bleu": BLEU(), "chrf": CHRF()}
    _, theirs = PairedTest(list(systems.items()), metrics, [references], test_type="bs")()
    sacrebleu_done = time.perf_counter()
    print(f"{args.segments:,} segments, {args.systems} systems, BLEU and chrF, 1,000 resamples")
    print(f"failures, scores and their intervals  {scores_done - began:6.1f} s")
    print(f"paired tests and their intervals      {done - scores_done:6.1f} s")
    print(f"in all                                {done - began:6.1f} s")
    print(f"sacrebleu --paired-bs alone           {sacrebleu_done - done:6.1f} s")
    ours = {(one.metric, one.system): one.p_value for one in compared}
    keys = {"bleu": "BLEU", "chrf": "chrF2"}
    same = all(
        ours[metric, name] == theirs[key][place].p_value
        for metric, key in keys.items()
        for place, name in enumerate(systems)
        if place
    )
    print(f"the same p-values: {'yes' if same else 'NO'}")
    return 0 if same else 1


def _text(segments: int, systems: int) -> tuple[list[str], list[str], dict[str, list[str]]]:
    draw = random.Random(1)
    lengths = [draw.randint(8, 40) for _ in range(segments)]
    sources = [" ".join(draw.choices(GERMAN, k=length)) + "." for length in lengths]
    references = [" ".join(draw.choices(ENGLISH, k=length)) + "." for length in lengths]
    hypotheses = {
        f"system-{number}": [
            source
            if draw.random() < 0.1
            else " ".join(
                draw.choice(ENGLISH) if draw.random() < 0.3 + number / 100 else word
                for word in reference.split()
            )
            for source, reference in zip(sources, references, strict=True)
        ]
        for number in range(systems)
    }
    return sources, references, hypotheses


if __name__ == "__main__":
    sys.exit(main())

"""On paper: what the paper's four experiments take at full size on 1, 8 and 64 GPUs.

    python -m benchmarks.scale [--seeds 3] [--gpus 1 8 64]

The runs are those of `mtlab sweep paper/... --base llama-2-7b --corpus wmt --method full`; counting
them needs WMT's test sets, which sacrebleu fetches. What a run takes is worked out from `Figures`,
each measured or assumed as it says there; the runs are given to GPUs longest first.
"""

from __future__ import annotations

import argparse
import heapq
from collections.abc import Sequence
from dataclasses import dataclass

from mtlab.defaults import LARGE
from mtlab.experiments import Choices, preset
from mtlab.settings import Settings
from mtlab.spec import RunSpec

PRESETS = ("paper/size", "paper/direction", "paper/noise", "paper/unseen")


@dataclass(frozen=True)
class Figures:
    """What a run of a 6.7 B model costs on one H200.

    Attributes:
        peak: FLOP/s in dense bf16 products; measured.
        bandwidth: bytes/s of its memory; measured.
        parameters: of Llama 2 7B, as published.
        training_share: of the peak that training reaches; assumed.
        pair_tokens: of a training example with its prompt; assumed.
        segments: of a test set; WMT's have 1,000 to 3,000.
        rows: hypotheses in a batch, sentences times beams; assumed.
        beams: of beam search; the default.
        steps: tokens until the longest hypothesis of a batch ends, batches being sorted by length;
            assumed.
        cache: bytes of keys and values for a row; 524 kB for a token, about 130 tokens.
        decoding_share: of the bandwidth that a decoding step reaches; assumed.
        step_overhead: seconds of a decoding step beside reading memory; assumed.
        comet: segments/s of wmt22-comet-da; assumed.
        start: seconds to place a run, start its process and load the model; assumed, of which
            placing, sending and following are held to 3 by `benchmarks.cluster`.
        network: bytes/s at which the model comes home, while the GPU waits; assumed.
    """

    peak: float = 790e12
    bandwidth: float = 4.3e12
    parameters: float = 6.738e9
    training_share: float = 0.5
    pair_tokens: float = 100.0
    segments: int = 2000
    rows: int = 256
    beams: int = 4
    steps: int = 50
    cache: float = 68e6
    decoding_share: float = 0.5
    step_overhead: float = 0.025
    comet: float = 400.0
    start: float = 45.0
    network: float = 300e6

    def training(self, pairs: int) -> float:
        """Seconds to train on so many pairs, each as often as it is seen."""
        flop = 6 * self.parameters * pairs * self.pair_tokens
        return flop / (self.peak * self.training_share)

    def decoding(self) -> float:
        """Seconds to translate one direction's test set."""
        read = 2 * self.parameters + self.rows * self.cache
        step = read / (self.bandwidth * self.decoding_share) + self.step_overhead
        batches = self.segments * self.beams / self.rows
        return batches * self.steps * step

    def scoring(self) -> float:
        """Seconds to score one direction."""
        return self.segments / self.comet

    def home(self) -> float:
        """Seconds until the model has come home."""
        return 2 * self.parameters / self.network


def seconds_of(spec: RunSpec, figures: Figures) -> float:
    """What one run takes, the untuned base's translations being kept from before."""
    pairs = LARGE.steps_for(spec.size, "full") * LARGE.batch
    tested = len(spec.tested) * (figures.decoding() + figures.scoring())
    return figures.start + figures.training(pairs) + tested + figures.home()


def makespan(seconds: Sequence[float], gpus: int) -> float:
    """When the last run ends, each given to the GPU that is free first, the longest run first."""
    free = [0.0] * gpus
    for one in sorted(seconds, reverse=True):
        heapq.heapreplace(free, free[0] + one)
    return max(free)


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--gpus", type=int, nargs="+", default=[1, 8, 64])
    args = parser.parse_args()
    figures, settings = Figures(), Settings.from_environment()
    choices = Choices(base="llama-2-7b", corpus="wmt", seeds=tuple(range(args.seeds)))
    print(
        f"one direction: {figures.decoding():.0f} s to translate, {figures.scoring():.0f} s COMET"
    )
    print(f"one pass over 74,623 pairs: {figures.training(74623) / 60:.1f} min")
    print(f"| experiment | runs | GPU hours | {' | '.join(f'on {n}' for n in args.gpus)} |")
    print("|---|" + "---:|" * (2 + len(args.gpus)))
    every: list[float] = []
    for name in PRESETS:
        seconds = [seconds_of(spec, figures) for spec in preset(name, choices, settings).specs()]
        every += seconds
        print(_row(name, seconds, args.gpus))
    print(_row("all four", every, args.gpus))
    print(f"all models kept: {len(every) * 2 * figures.parameters / 1e12:.1f} TB at home")
    return 0


def _row(name: str, seconds: Sequence[float], gpus: Sequence[int]) -> str:
    times = " | ".join(_in_words(makespan(seconds, count)) for count in gpus)
    return f"| {name} | {len(seconds)} | {sum(seconds) / 3600:.1f} | {times} |"


def _in_words(seconds: float) -> str:
    return f"{seconds / 3600:.1f} h" if seconds >= 7200 else f"{seconds / 60:.0f} min"


if __name__ == "__main__":
    raise SystemExit(main())

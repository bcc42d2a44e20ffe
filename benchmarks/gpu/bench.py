"""What all sections share: the scale, the clock, the figures so far, models and texts."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.gpu.models import Llama
from benchmarks.gpu.texts import Texts
from mtlab.settings import Settings


@dataclass(frozen=True)
class Scale:
    """How large the model is, and how much of everything is measured with it.

    Attributes:
        llama: the model.
        length: tokens of a training row.
        batch: rows, or pairs, in a step.
        steps: of a training lap.
        untimed: of them, before the clock begins.
        held_out: texts for the loss at the end.
        sample: pairs from which the mean length is told.
        sentences: that are translated.
        new_tokens: that each answer comes to.
        matrix: rows and columns of the matrices multiplied.
    """

    llama: Llama
    length: int
    batch: int
    steps: int
    untimed: int
    held_out: int
    sample: int
    sentences: int
    new_tokens: int
    matrix: int


FULL = Scale(Llama(4096, 11_008, 32, 32, 32_000), 512, 16, 10, 4, 8, 2000, 256, 48, 8192)
DRY = Scale(Llama(64, 128, 2, 4, 8_192), 128, 4, 3, 1, 2, 16, 6, 4, 256)


@dataclass
class Record:
    """The figures so far, told as they come and written after each section.

    Attributes:
        figures: what is written.
        output: the file; None where none is wanted.
    """

    figures: dict[str, Any]
    output: Path | None = None
    _began: float = field(default_factory=time.monotonic)

    @property
    def minutes(self) -> float:
        """Since the beginning."""
        return (time.monotonic() - self._began) / 60

    def say(self, text: str) -> None:
        """Print a line with the time that has passed."""
        minutes, seconds = divmod(int(60 * self.minutes), 60)
        print(f"[{minutes:02}:{seconds:02}] {text}", flush=True)

    def keep(self, section: str, found: Any) -> None:
        """Add a section's figures, and write all there are: a run may be cut off at any time."""
        self.figures[section] = found
        self.figures["minutes"] = round(self.minutes, 2)
        if self.output is None:
            return
        part = self.output.with_name(f"{self.output.name}.part")
        part.write_text(json.dumps(self.figures, ensure_ascii=False, indent=1), encoding="utf-8")
        part.replace(self.output)


@dataclass
class Bench:
    """One run of the benchmark.

    Attributes:
        scale: how much.
        settings: the lab's.
        texts: the corpus.
        models: the folder they lie in, or are written into.
        record: figures and clock.
        rounds: laps of each contestant.
        trl: the interpreter of an environment with TRL; None: nobody is raced against.
        rates: the device's own.
    """

    scale: Scale
    settings: Settings
    texts: Texts
    models: Path
    record: Record
    rounds: int
    trl: Path | None
    rates: dict[str, float] = field(default_factory=dict)

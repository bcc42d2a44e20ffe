"""Beam search: the lab against `generate` at batch 16, and what the memory's bandwidth allows.

Random weights end no answer: all come to the limit, for both. The lab decodes with the token budget
that a run takes by default, cut to what fits into memory. `generate` is asked once for the first 16
before its clock begins; what the lab does to attention at large (`mtlab.models.load`) spares it the
planning of kernels for each new shape, too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from benchmarks.gpu.bench import Bench
from benchmarks.gpu.device import release
from benchmarks.gpu.texts import DIRECTION
from mtlab.bench.contest import hold
from mtlab.bench.decode import BATCH, Lab, Plain, Work
from mtlab.bench.limits import decoding_reading
from mtlab.bench.results import Result
from mtlab.cli import printing
from mtlab.decoding.budget import fitting_budget
from mtlab.defaults import complete
from mtlab.models import Loaded, load
from mtlab.presets import resolve_base
from mtlab.prompts import Template, prompt_ids
from mtlab.settings import Settings
from mtlab.spec import Decoding, Direction, RunSpec

BEAMS = 4


@dataclass(frozen=True)
class Untuned:
    """A model in a folder, as the contest of decoding takes one.

    Attributes:
        spec: complete, of the run that it would be.
        settings: the lab's.
        direction: from which language into which.
        converted: where its converted forms would lie.
    """

    spec: RunSpec
    settings: Settings
    converted: Path
    direction: Direction = DIRECTION

    @cached_property
    def fast(self) -> Loaded:
        """The model in the format that a run takes by default on this machine."""
        return load(resolve_base(self.spec.base, self.settings), settings=self.settings)

    @property
    def template(self) -> Template:
        """The prompt."""
        return Template.from_spec(self.spec, self.fast.tokenizer)


class Reference(Plain):
    """`generate`, warmed up with one batch: a lap of it takes long."""

    def prepare(self) -> dict[str, str]:
        """As `Contestant.prepare`."""
        whole = self.work
        self.work = replace(whole, sources=whole.sources[:BATCH])
        versions = super().prepare()
        self.work = whole
        return versions


def beam_search(bench: Bench) -> dict[str, Any]:
    """Hold the contest and tell of it; the reference is `generate`."""
    scale, settings = bench.scale, bench.settings
    folder = scale.llama.folder(bench.models)
    asked = RunSpec(
        base=str(folder), train=[str(DIRECTION)],
        decoding=Decoding(strategy="beam", beams=BEAMS, max_new_tokens=scale.new_tokens),
    )  # fmt: skip
    model = Untuned(complete(asked, resolve_base(str(folder), settings)), settings, folder)
    sources = bench.texts.sources(scale.sentences)
    work = Work(model, tuple(sources))  # type: ignore[arg-type]
    budget = fitting_budget(model.fast, model.spec.decoding)
    contestants = [
        Reference("generate", f"{BATCH} at a time in file order", work, _fast),
        Lab("mtlab", f"a run's token budget, {budget}", work, {"token_budget": budget}, _fast),
    ]
    try:
        standings = hold(
            contestants, bench.rounds, _equal, tell=lambda text: bench.record.say(f"beams: {text}")
        )
        prompts = [
            len(prompt_ids(model.fast.tokenizer, model.template, one, DIRECTION)) for one in sources
        ]
        width = 2 if model.fast.dtype_name == "bf16" else 4
    finally:
        del model, work, contestants
        release()
    result = Result(f"beam {BEAMS}, {len(sources)} sentences", "sentences", "equal", standings)
    bench.record.say(result.title)
    printing.table(result.rows())
    reading = decoding_reading(scale.llama.shape, prompts, BEAMS, scale.new_tokens, width=width)
    found: dict[str, Any] = {"contest": result.to_json(), "prompt_tokens": sum(prompts)}
    if bench.rates:
        bandwidth = bench.rates["gbytes"] * 1e9
        found["bound"] = len(sources) * bandwidth / reading.total
        found["bound_by_weights_alone"] = len(sources) * bandwidth / reading.weights
        bench.record.say(
            f"the memory's bandwidth allows {found['bound']:,.0f} sentences/s in one batch, "
            f"{found['bound_by_weights_alone']:,.0f} if nothing but weights were read"
        )
    return found


def _fast(model: Untuned) -> Loaded:  # type: ignore[misc]
    return model.fast


def _equal(one: Any, reference: Any) -> float:
    same = [a == b for a, b in zip(one.made, reference.made, strict=True)]
    return sum(same) / len(same)

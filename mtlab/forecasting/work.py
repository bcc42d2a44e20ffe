"""What a run has to do, as numbers that hang on no machine: tokens, steps, matrices.

They are counted from a sample of the texts before a run, and kept in its provenance, so that the
next forecast can compare what was to be done with how long it took.
"""

from __future__ import annotations

import math
import random
from collections.abc import Container, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple

from mtlab.batch_parts import parts_of, parts_within
from mtlab.methods import NONE
from mtlab.models.facts import Shape
from mtlab.models.passes import asked_tokens
from mtlab.spec import RunSpec
from mtlab.streams import most_together, streams_of

PROBES = 5
"""How often a probe set is translated while a run trains: at its start and four times more."""

PROBE_TOKENS = 96
_SIMULATED = 200  # batches
_MOST_ROWS = 4096


class Test(NamedTuple):
    """A test set.

    Attributes:
        number: of its segments.
        sample: of some of them the tokens of prompt and reference.
        head: tokens that all its prompts begin with.
    """

    number: int
    sample: tuple[tuple[int, int], ...]
    head: int = 0


@dataclass(frozen=True)
class Batches:
    """Sentences that are translated together: so many batches like this one.

    Attributes:
        count: how many.
        sentences: in each, on average.
        rows: beams for each sentence.
        prompt: tokens of the longest prompt in a batch, on average.
        widest: sentences times prompt tokens in the fullest batch.
        answer: tokens of a reference, on average.
        longest: tokens of the longest reference in a batch, on average.
        limit: new tokens at most.
        direction: of all of them; empty where several directions are translated together.
        head: tokens that all prompts of a direction begin with, which are read once.
    """

    count: int
    sentences: float
    rows: int
    prompt: float
    widest: float
    answer: float
    longest: float
    limit: int
    direction: str = ""
    head: float = 0.0


@dataclass(frozen=True)
class Teaching:
    """The training.

    Attributes:
        steps: optimizer steps.
        passes: forward and backward passes in each.
        tokens: that are read in all, padding included.
        targets: places for which logits are made, in all.
        widest: tokens of the fullest pass.
        widest_targets: places for which logits are made in the fullest pass.
        shapes: how many shapes of a batch there are; for each the CPU's kernels are made anew.
        trained: parameters that are trained.
        method: `lora` or `full`.
        checkpointing: whether activations are computed twice.
        saves: how often all that resuming needs is written.
    """

    steps: int
    passes: int
    tokens: float
    targets: float
    widest: float
    widest_targets: float
    shapes: int
    trained: int
    method: str
    checkpointing: bool
    saves: int


@dataclass(frozen=True)
class Work:
    """All that a run does.

    Attributes:
        shape: of its model.
        precision: the number format, as the spec says it.
        base: the test sets as the untuned base translates them; empty where that is kept.
        own: the test sets as the run's own model translates them.
        probes: the probe sets.
        teaching: None where nothing is trained.
        segments: that are scored, over all directions.
        comet: those of them that COMET scores.
        devices: that share the work.
    """

    shape: Shape
    precision: str
    base: tuple[Batches, ...] = ()
    own: tuple[Batches, ...] = ()
    probes: tuple[Batches, ...] = ()
    teaching: Teaching | None = None
    segments: int = 0
    comet: int = 0
    devices: int = 1

    def to_json(self) -> dict[str, Any]:
        """The work as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Work:
        """Read what `to_json` wrote.

        Raises:
            KeyError, TypeError: it is something else.
        """
        teaching = data["teaching"]
        return cls(
            shape=Shape(**data["shape"]),
            precision=str(data["precision"]),
            base=tuple(Batches(**one) for one in data["base"]),
            own=tuple(Batches(**one) for one in data["own"]),
            probes=tuple(Batches(**one) for one in data["probes"]),
            teaching=Teaching(**teaching) if teaching else None,
            segments=int(data["segments"]),
            comet=int(data["comet"]),
            devices=int(data.get("devices", 1)),
        )


@dataclass(frozen=True)
class Texts:
    """The lengths that work is counted from, in tokens.

    Attributes:
        examples: (all, those of the target with its end mark) for a sample of the training pairs.
        pairs: how many training pairs there are.
        tests: by direction.
        prompted: the same with the prompt of the run's own system, where it is another.
    """

    examples: tuple[tuple[int, int], ...]
    pairs: int
    tests: tuple[Test, ...]
    prompted: tuple[Test, ...]


def work_of(
    spec: RunSpec,
    shape: Shape,
    texts: Texts,
    *,
    context: int | None = None,
    kept: Container[int] = (),
    pass_tokens: int | None = None,
) -> Work:
    """Count a run's work.

    Args:
        spec: complete.
        shape: of its model.
        texts: the lengths of its sentences.
        context: the tokens its model can attend to; None where that is not known.
        kept: the places of the directions whose translations by the untuned base are kept.
        pass_tokens: of a training pass at most, where steps are not padded; None where they are.
    """
    decoding, training = spec.decoding, spec.training
    limit = decoding.token_limit
    if context:
        longest = max((p for test in texts.prompted for p, _ in test.sample), default=0)
        limit = max(1, min(limit, context - longest))
    rows = decoding.beams if decoding.strategy == "beam" else 1
    budget = decoding.token_budget or 4096
    # A base that is taken as it is shares its translations with the runs that score it.
    as_it_is = training.method == NONE
    base = [
        replace(batches_of(test, rows, budget, limit), direction=str(spec.tested[place]))
        for place, test in enumerate(texts.tests)
        if place not in kept
    ]
    prompted = [
        test for place, test in enumerate(texts.prompted) if not (as_it_is and place in kept)
    ]
    own = [
        batches_of(test, rows, budget, limit)
        for test in _together(prompted, 0 if as_it_is else most_together(decoding))
    ]
    probes: list[Batches] = []
    if training.trains and spec.probe_size and texts.tests:
        share, more = divmod(spec.probe_size, len(texts.tests))
        asked = [
            test._replace(number=min(test.number, share + (place < more)))
            for place, test in enumerate(texts.tests)
        ]
        for test in _together([one for one in asked if one.number], spec.probe_size):
            probes.append(batches_of(test, 1, budget, min(limit, PROBE_TOKENS)))
    segments = sum(test.number for test in texts.tests)
    return Work(
        shape,
        training.precision,
        tuple(base) if spec.score_base else (),
        tuple(own),
        tuple(probes),
        _teaching(spec, shape, texts, pass_tokens) if training.trains else None,
        segments,
        segments if "comet" in spec.metrics else 0,
        spec.devices,
    )


def _together(tests: Sequence[Test], most: int) -> list[Test]:
    """Test sets, those that are translated together made one."""
    return [
        Test(
            sum(tests[place].number for place in places),
            tuple(lengths for place in places for lengths in tests[place].sample),
            max(tests[place].head for place in places),
        )
        for places in streams_of([test.number for test in tests], most)
    ]


def batches_of(test: Test, rows: int, budget: int, limit: int) -> Batches:
    """The batches of a stream, cut as `mtlab.decoding.batches` cuts them: by length, the longest
    first, under a budget of prompt tokens times rows.

    Args:
        test: the sentences.
        rows: beams.
        budget: of tokens.
        limit: new tokens at most.
    """
    number = test.number
    ordered = sorted(test.sample, reverse=True) or [(1, 1)]
    each = number / len(ordered)  # what a sentence of the sample stands for
    count, start, widest = 0, 0.0, 0.0
    prompts, longests = [], []
    while start < number:
        first = min(len(ordered) - 1, int(start / each))
        room = max(1, min(budget // max(1, ordered[first][0] * rows), _MOST_ROWS // rows))
        end = min(number, start + room)
        held = ordered[first : max(first + 1, math.ceil(end / each))]
        prompts.append(held[0][0])
        longests.append(max(answer for _, answer in held))
        widest = max(widest, (end - start) * held[0][0])
        count, start = count + 1, end
    return Batches(
        count=max(1, count),
        sentences=number / max(1, count),
        rows=rows,
        prompt=sum(prompts) / len(prompts),
        widest=widest,
        answer=sum(answer for _, answer in ordered) / len(ordered),
        longest=sum(longests) / len(longests),
        limit=limit,
        head=test.head,
    )


def _teaching(spec: RunSpec, shape: Shape, texts: Texts, most: int | None) -> Teaching:
    training = spec.training
    steps, batch = training.steps or 1, training.batch_size or 1
    batches = steps * (training.accumulation or 1)
    asked = asked_tokens(training)  # sure to be needed: passes are wider where there is room
    if most is not None:
        batch, batches = batch * (training.accumulation or 1), steps
    examples = [one for one in texts.examples if one[0] <= (training.max_length or 512)]
    draw = random.Random(spec.seed)
    made = [
        _parts(examples or [(64, 24)], batch, draw, most) for _ in range(min(batches, _SIMULATED))
    ]
    passes = [one for parts in made for one in parts]
    each = batches / len(made)  # what a batch of those that were drawn stands for
    full = training.method == "full"
    return Teaching(
        steps=steps,
        passes=max(1, round(len(passes) * each / steps)),
        tokens=sum(tokens for tokens, _ in passes) * each,
        targets=sum(targets for _, targets in passes) * each,
        widest=min(max(tokens for tokens, _ in passes), math.inf if most is None else asked),
        widest_targets=max(targets for _, targets in passes),
        shapes=len(set(passes)),
        trained=shape.parameters if full else shape.adapted(training.lora_rank),
        method=str(training.method),
        checkpointing=bool(training.gradient_checkpointing),
        saves=steps // max(1, training.checkpoint_steps or steps) + 1,
    )


def _parts(
    examples: Sequence[tuple[int, int]], batch: int, draw: random.Random, most: int | None
) -> list[tuple[int, int]]:
    """The passes of one batch, as `mtlab.training.batching` makes them: tokens, padding included,
    and places of logits.
    """
    held = [draw.choice(examples) for _ in range(batch)]
    if most is not None:
        parts = parts_within([length for length, _ in held], most)
        return [
            (sum(held[row][0] for row in part), sum(held[row][1] + 1 for row in part))
            for part in parts
        ]
    made = []
    for part in parts_of([length for length, _ in held]):
        width = max(held[row][0] for row in part)
        targets = max(held[row][1] for row in part)
        made.append((len(part) * width, len(part) * min(width, targets + 1)))
    return made

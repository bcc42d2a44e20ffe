"""What a spec would do, shown before anything runs and without loading a model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mtlab.commands import command_for
from mtlab.runs.forecast import forecast
from mtlab.runs.store import RunStore
from mtlab.spec import RunSpec

if TYPE_CHECKING:
    from mtlab.corpora import Draw
    from mtlab.noise import NoisyPair, Translator


@dataclass(frozen=True)
class PreviewExample:
    """A training pair, clean and noisy, and the prompt the model reads before the target."""

    pair: NoisyPair
    prompt: str


@dataclass(frozen=True)
class Preview:
    """What a spec would do, before anything runs.

    Attributes:
        spec: the spec with every open value filled in.
        examples: the first training pairs, as the model would see them.
        counts: training pairs by direction.
        pool_sizes: pairs there are to draw from, by direction.
        removed: pairs left out because they stand in the test set, by direction.
        command: the same run as a command line.
        forecast: memory and time, in words; says so where nothing is known yet.
    """

    spec: RunSpec
    examples: tuple[PreviewExample, ...]
    counts: dict[str, int]
    pool_sizes: dict[str, int]
    removed: dict[str, int]
    command: str
    forecast: str


def preview_of(
    spec: RunSpec, drawn: Draw, n: int, store: RunStore, translator: Translator | None = None
) -> Preview:
    """The preview of a complete spec.

    Args:
        spec: complete.
        drawn: the pairs it would train on.
        n: how many of them to show; the first, which are the same at any size.
        store: for the forecast.
        translator: of sentence noise.
    """
    from mtlab.corpora import corpora_for
    from mtlab.noise import corrupt
    from mtlab.prompts import Template, variant_for

    settings = store.settings
    corpus = corpora_for(spec, settings).train
    pairs = corrupt(
        drawn.pairs[:n],
        spec.noise,
        spec.seed,
        corpus,
        settings,
        order=drawn.order,
        translator=translator,
    )
    # A chat template needs the tokenizer, and that a download; the plain one stands in for it.
    template = Template() if spec.template == "chat" else Template.from_spec(spec)
    examples = tuple(
        PreviewExample(
            pair,
            template.prompt(
                pair.noisy.source, pair.noisy.direction, variant_for(pair.noisy.key, spec.seed)
            ),
        )
        for pair in pairs
    )
    counts = dict.fromkeys(map(str, spec.train), 0)
    for drawn_pair in drawn.pairs:
        name = str(drawn_pair.direction)
        counts[name] = counts.get(name, 0) + 1  # a reversed pair may be of no training direction
    return Preview(
        spec=spec,
        examples=examples,
        counts=counts,
        pool_sizes=dict(drawn.pool_sizes),
        removed=dict(drawn.removed),
        command=command_for(spec),
        forecast=forecast(spec, store),
    )

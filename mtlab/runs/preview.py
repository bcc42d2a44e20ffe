"""What a spec would do, shown before anything runs and without loading a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mtlab.commands import command_for
from mtlab.runs.forecast import forecast
from mtlab.runs.store import RunStore
from mtlab.settings import Settings
from mtlab.spec import RunSpec

if TYPE_CHECKING:
    from mtlab.corpora import Draw
    from mtlab.noise import NoisyPair, Translator


@dataclass(frozen=True)
class PreviewExample:
    """A training pair, clean and noisy, and the prompt the model reads before the target.

    Of few-shot prompting: a pair that is shown, and the prompt of the first test source.
    """

    pair: NoisyPair
    prompt: str


@dataclass(frozen=True)
class Preview:
    """What a spec would do, before anything runs.

    Attributes:
        spec: the spec with every open value filled in.
        examples: the first training pairs, as the model would see them; none where it sees none.
        counts: training pairs, or examples shown, by direction.
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
    examples = (_trained if spec.training.trains else _shown)(spec, pairs, drawn, settings)
    counts = dict.fromkeys(map(str, spec.drawn), 0)
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


def _trained(
    spec: RunSpec, pairs: Sequence[NoisyPair], drawn: Draw, settings: Settings
) -> tuple[PreviewExample, ...]:
    from mtlab.prompts import Template, variant_for

    # A chat template needs the tokenizer, and that a download; the plain one stands in for it.
    template = Template() if spec.template == "chat" else Template.from_spec(spec)
    return tuple(
        PreviewExample(
            pair,
            template.prompt(
                pair.noisy.source, pair.noisy.direction, variant_for(pair.noisy.key, spec.seed)
            ),
        )
        for pair in pairs
    )


def _shown(
    spec: RunSpec, pairs: Sequence[NoisyPair], drawn: Draw, settings: Settings
) -> tuple[PreviewExample, ...]:
    from mtlab.corpora import corpora_for
    from mtlab.fewshot import FewShot

    template = FewShot(examples=drawn.by_direction())
    test = corpora_for(spec, settings).test
    return tuple(
        PreviewExample(
            pair,
            template.prompt(test.test(pair.clean.direction)[0].source, pair.clean.direction),
        )
        for pair in pairs
    )

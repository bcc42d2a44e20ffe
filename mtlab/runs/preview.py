"""What a spec would do, shown before anything runs and without loading a model."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from mtlab.commands import command_for
from mtlab.errors import NotAvailable
from mtlab.forecasting import Forecast, forecaster_of
from mtlab.methods import NONE, OUTPUTS
from mtlab.presets import resolve_base
from mtlab.prompts import CHAT, no_chat_template
from mtlab.runs.lending import lent_room
from mtlab.runs.store import RunStore
from mtlab.settings import Settings
from mtlab.spec import RunSpec

if TYPE_CHECKING:
    from mtlab.corpora import Draw
    from mtlab.models import Fit
    from mtlab.noise import NoisyPair, Translator

_LATELY = 5  # seconds
_UNKNOWN = "The time is not known before its base is here and a run with it has finished."


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
        forecast: the time, in words; says so where it is not known.
        seconds: the time; None where it is not known.
        told: time by phase, memory, and what both are told from; None where they are not known.
        memory: whether it fits, as far as that is known before a model is fetched.
    """

    spec: RunSpec
    examples: tuple[PreviewExample, ...]
    counts: dict[str, int]
    pool_sizes: dict[str, int]
    removed: dict[str, int]
    command: str
    forecast: str
    seconds: float | None
    told: Forecast | None
    memory: Fit


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

    Raises:
        InputError: its base is on this machine, and cannot be used.
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
    told = forecaster_of(store).forecast(spec, drawn)
    return Preview(
        spec=spec,
        examples=examples,
        counts=counts,
        pool_sizes=dict(drawn.pool_sizes),
        removed=dict(drawn.removed),
        command=command_for(spec),
        forecast=told.sentence if told is not None else _UNKNOWN,
        seconds=told.total if told is not None else None,
        told=told,
        memory=_fit(spec, settings, told),
    )


def _fit(spec: RunSpec, settings: Settings, told: Forecast | None) -> Fit:
    """Whether the run fits; of a base that is not on this machine the hub is not asked."""
    from mtlab.models import Fit, Spread, estimate, fit_of, inspect, spread_need
    from mtlab.models.facts import look
    from mtlab.models.fits import verdict
    from mtlab.models.room import MAIN_MEMORY

    if spec.base.startswith(OUTPUTS):
        return Fit(True, "No model is loaded.")
    if "{" in spec.base:
        return Fit(None, "A model a direction: their memory is not known beforehand.")
    base = resolve_base(spec.base, settings)
    described = look if spec.training.method == NONE else inspect
    try:
        facts = described(base, replace(settings, offline=True), spec.revision)
    except NotAvailable:
        facts = None
    if spec.template == CHAT and facts is not None and facts.has_chat_template is False:
        raise no_chat_template(spec.base)
    room = lent_room(spec.base, settings)
    available, where = room or _available_lately(int(time.monotonic() / _LATELY))
    spread = Spread(spec.devices, spec.strategy)
    if facts is None or told is None:
        return fit_of(facts, base, spec.training, available, where, spread)
    need = spread_need(facts.shape, spec.training, available, where, spread, told.held)
    if where == MAIN_MEMORY:
        alone = estimate(facts.shape, spec.training, available, where, told.held)
        need = need.scaled(told.memory / alone.total)
    return verdict(need, facts.shape, spec.training, told.held, spread)


@lru_cache(maxsize=1)
def _available_lately(moment: int) -> tuple[int, str]:
    """The free memory, asked for once a moment: a GPU's driver takes its time to answer."""
    from mtlab.models import available_memory

    return available_memory()


def _trained(
    spec: RunSpec, pairs: Sequence[NoisyPair], drawn: Draw, settings: Settings
) -> tuple[PreviewExample, ...]:
    from mtlab.prompts import Template, variant_for

    # A chat template needs the tokenizer, and that a download; the plain one stands in for it.
    template = Template() if spec.template == CHAT else Template.from_spec(spec)
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

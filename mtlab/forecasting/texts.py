"""The lengths of a run's sentences: of its training pairs, its prompts and its references."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from mtlab.corpora import Draw, Pair, corpora_for
from mtlab.fewshot import FewShot
from mtlab.forecasting.lengths import Lengths
from mtlab.forecasting.work import Test, Texts
from mtlab.methods import FEW_SHOT
from mtlab.prompts import CHAT, Template, variant_for
from mtlab.settings import Settings
from mtlab.spec import Direction, RunSpec

_SAMPLE = 256
"""Pairs, and test sentences over all directions, that are counted."""


def texts_of(spec: RunSpec, drawn: Draw, lengths: Lengths, settings: Settings) -> Texts:
    """Count a sample of a run's sentences.

    Args:
        spec: complete.
        drawn: its training pairs, or the examples that are shown.
        lengths: counts tokens.
        settings: the lab's.

    Raises:
        MtlabError: the test sets cannot be had.
    """
    # A chat template needs the tokenizer, and that a download; the plain one is about as long.
    template = Template() if spec.template == CHAT else Template.from_spec(spec)
    examples = []
    if spec.training.trains:
        for pair in _spread(drawn.pairs, _SAMPLE):
            prompt = template.prompt(pair.source, pair.direction, variant_for(pair.key, spec.seed))
            target = lengths.of(pair.target) + 1
            examples.append((lengths.of(prompt) + target, target))
    test = corpora_for(spec, settings).test
    tests = {one: test.test(one)[: spec.test_limit] for one in spec.tested}
    plain = _prompts(tests, template, lengths)
    own = plain
    if spec.training.method == FEW_SHOT:
        own = _prompts(tests, FewShot(examples=drawn.by_direction()), lengths)
    return Texts(tuple(examples), len(drawn.pairs), plain, own)


def _prompts(
    tests: Mapping[Direction, Sequence[Pair]], template: Template, lengths: Lengths
) -> tuple[Test, ...]:
    each = max(16, _SAMPLE // max(1, len(tests)))
    return tuple(
        _test(len(pairs), _spread(pairs, each), direction, template, lengths)
        for direction, pairs in tests.items()
    )


def _test(
    number: int, sample: Sequence[Pair], direction: Direction, template: Template, lengths: Lengths
) -> Test:
    prompts = [template.prompt(pair.source, direction) for pair in sample]
    tokens = [lengths.of(prompt) + 1 for prompt in prompts]
    head = min(lengths.of(os.path.commonprefix(prompts)) + 1, min(tokens, default=1) - 1)
    targets = [lengths.of(pair.target) + 1 for pair in sample]
    return Test(number, tuple(zip(tokens, targets, strict=True)), head)


def _spread(pairs: Sequence[Pair], most: int) -> Sequence[Pair]:
    """So many of them at most, at even distances."""
    if len(pairs) <= most:
        return pairs
    return [pairs[int(place * len(pairs) / most)] for place in range(most)]

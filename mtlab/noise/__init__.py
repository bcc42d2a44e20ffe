"""Noise: what is done to training pairs on purpose.

One file per kind. To add a kind, write `mtlab/noise/NAME.py` with a class that has `corrupt_texts`
(`kinds.Kind`) and `KIND = YourClass()`, and add its name to the list in `mtlab/noise_kinds.py`: the
spec, the flags, the form and the tests read that list. Options of its own are fields of
`mtlab.spec.Noise` with a flag in `mtlab.commands.FLAGS`.

Which pairs are touched and what happens to them depends on the seed and the pair alone, so the same
pair has the same noise at every size, and what a small ratio touches a larger one touches too.

kinds            what a kind is, and what it is given
sentence         machine translation        translations: what was translated before
word             word by word               lexicon, alignment: induced; dictionary: from a file
grammar          inflection, order ...      pieces: words in their places
semantic         fluent and wrong           vocabulary: words by their endings
jargon, typo, misaligned, wrong_language, truncated
tokens           words and marks, apart and together again
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from difflib import SequenceMatcher
from importlib import import_module

from mtlab.corpora import corpora_for, draw_for
from mtlab.corpora.pairs import Corpus, Pair
from mtlab.corpora.sampling import spread
from mtlab.noise.kinds import (
    Context,
    Kind,
    NoisyPair,
    Side,
    Translator,
    needed_directions,
    sides_of,
    text_of,
)
from mtlab.noise_kinds import NOISE_KINDS
from mtlab.settings import Settings
from mtlab.spec import Direction, Noise, RunSpec

KINDS: dict[str, Kind] = {
    name: import_module(f"mtlab.noise.{name.replace('-', '_')}").KIND for name in NOISE_KINDS
}
"""Every kind of noise by name; `none` is not one."""


def corrupt(
    pairs: Sequence[Pair],
    noise: Noise,
    seed: int,
    corpus: Corpus,
    settings: Settings,
    *,
    order: Mapping[Direction, Sequence[Pair]] | None = None,
    translator: Translator | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> tuple[NoisyPair, ...]:
    """Put noise on a share of the pairs.

    In each direction the pairs chosen are spread evenly over the order of the draw: after any
    number of pairs their share is the ratio, to within a few pairs (exactly, where the ratio is a
    half, a quarter ... and the number a power of two). A text that noise leaves as it is does not
    count as touched.

    Args:
        pairs: as drawn, in the order of the draw.
        noise: the kind, the side, the share of pairs and the options of the kind.
        seed: which of the pairs are touched, and any chance within the kind.
        corpus: what the pairs were drawn from.
        settings: where caches lie.
        order: by direction, all pairs that may be trained on, in the order of the draw; the pairs
            themselves when not given. Kinds that borrow from other pairs look here.
        translator: for kinds that need one.
        on_progress: called with how many texts of a side are done and how many there are.

    Raises:
        InputError: something this kind of noise needs was not given or is not there.
        NotAvailable: something this kind of noise needs cannot be had now.
    """
    if not noise.active:
        return tuple(NoisyPair(pair, pair) for pair in pairs)
    context = Context(
        noise, seed, corpus, settings, order or _by_direction(pairs), translator, on_progress
    )
    chosen = _chosen(pairs, noise.ratio, seed)
    kind = KINDS[noise.kind]
    texts = {
        side: dict(
            zip(
                chosen,
                kind.corrupt_texts([pairs[place] for place in chosen], side, context),
                strict=True,
            )
        )
        for side in sides_of(noise)
    }
    return tuple(
        _noisy(pair, {side: found[place] for side, found in texts.items() if place in found})
        for place, pair in enumerate(pairs)
    )


def check(
    directions: Sequence[Direction],
    noise: Noise,
    seed: int,
    corpus: Corpus,
    settings: Settings,
    *,
    order: Mapping[Direction, Sequence[Pair]] | None = None,
    translator: Translator | None = None,
) -> None:
    """Say before anything runs what `corrupt` would stumble over; arguments as there.

    Raises:
        InputError: something this kind of noise needs was not given or is not there.
        NotAvailable: something this kind of noise needs cannot be had now.
    """
    if noise.active:
        context = Context(noise, seed, corpus, settings, order or {}, translator)
        KINDS[noise.kind].check(directions, context)


def _chosen(pairs: Sequence[Pair], ratio: float, seed: int) -> list[int]:
    """The places of the pairs that noise is put on."""
    seen: dict[Direction, int] = {}
    chosen = []
    for place, pair in enumerate(pairs):
        turn = seen.get(pair.direction, 0)
        seen[pair.direction] = turn + 1
        if _chance(turn, pair.direction, seed) < ratio:
            chosen.append(place)
    return chosen


def _noisy(pair: Pair, texts: Mapping[Side, str]) -> NoisyPair:
    changed = {side: text for side, text in texts.items() if text != text_of(pair, side)}
    if not changed:
        return NoisyPair(pair, pair)
    noisy = Pair(
        direction=pair.direction,
        source=changed.get("source", pair.source),
        target=changed.get("target", pair.target),
        key=pair.key,
    )
    return NoisyPair(pair, noisy, tuple(changed))


def _by_direction(pairs: Sequence[Pair]) -> dict[Direction, tuple[Pair, ...]]:
    directions = dict.fromkeys(pair.direction for pair in pairs)
    return {d: tuple(pair for pair in pairs if pair.direction == d) for d in directions}


def preview(
    noise: Noise,
    spec: RunSpec,
    settings: Settings,
    texts: Sequence[tuple[str, str]] | None = None,
    translator: Translator | None = None,
) -> tuple[NoisyPair, ...]:
    """What noise does to the pairs of a spec, or to a person's own.

    Args:
        noise: the kind, the side and the share of pairs.
        spec: its corpus teaches the words; its draw gives the pairs when no texts are given.
        settings: where caches lie.
        texts: (source, target) in the spec's first training direction.
        translator: for kinds that need one.

    Raises:
        InputError: a corpus, direction or size that cannot be had, or what the kind needs.
        NotAvailable: the corpus, or what the kind needs, lies where this machine cannot reach.
    """
    corpus = corpora_for(spec, settings).train
    order: Mapping[Direction, Sequence[Pair]]
    if texts is None:
        drawn = draw_for(spec, settings)
        pairs, order = drawn.pairs, drawn.order
    else:
        pairs = tuple(
            Pair(direction=spec.train[0], source=source, target=target, key=f"given:{number}")
            for number, (source, target) in enumerate(texts, start=1)
        )
        order = _by_direction(pairs)
    directions = tuple(dict.fromkeys(pair.direction for pair in pairs))
    check(directions, noise, spec.seed, corpus, settings, order=order, translator=translator)
    return corrupt(pairs, noise, spec.seed, corpus, settings, order=order, translator=translator)


def diff(clean: str, noisy: str) -> list[tuple[str, bool]]:
    """The noisy text in words and marks, each with whether the clean text lacks it there.

    Texts without spaces are compared character by character.
    """
    old, new = _pieces(clean), _pieces(noisy)
    changed = [True] * len(new)
    for block in SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks():
        changed[block.b : block.b + block.size] = [False] * block.size
    return list(zip(new, changed, strict=True))


def _pieces(text: str) -> list[str]:
    return re.findall(r"[\u3040-\u30ff\u3400-\u9fff]|[^\s\u3040-\u30ff\u3400-\u9fff]+", text)


def _chance(place: int, direction: Direction, seed: int) -> float:
    """Spread evenly over the order of the draw: of 32 pairs at ratio 0.5, 16 are touched."""
    return spread(place, "noise", seed, direction)


__all__ = [
    "KINDS",
    "Context",
    "Kind",
    "NoisyPair",
    "Side",
    "Translator",
    "check",
    "corrupt",
    "diff",
    "needed_directions",
    "preview",
]

"""Noise: what is done to training pairs on purpose.

One file per kind; a new kind is a class with `corrupt_text` in `KINDS` and a name in
`mtlab.spec.Noise`. Which pairs are touched and what happens to them depends on the seed and the
pair alone, so the same pair has the same noise at every size, and what a small ratio touches a
larger one touches too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

from mtlab.corpora import corpora_for, draw_for
from mtlab.corpora.pairs import Corpus, Pair
from mtlab.corpora.sampling import spread
from mtlab.noise.kinds import Kind, NoisyPair, Side
from mtlab.noise.word import WordNoise
from mtlab.settings import Settings
from mtlab.spec import Direction, Noise, RunSpec

KINDS: dict[str, Kind] = {kind.name: kind for kind in (WordNoise(),)}
"""Every kind of noise by name; `none` is not one."""


def corrupt(
    pairs: Sequence[Pair], noise: Noise, seed: int, corpus: Corpus, settings: Settings
) -> tuple[NoisyPair, ...]:
    """Put noise on a share of the pairs.

    In each direction the touched pairs are spread evenly over the order of the draw: after any
    number of pairs their share is the ratio, to within a few pairs (exactly, where the ratio is a
    half, a quarter ... and the number a power of two).

    Args:
        pairs: as drawn, in the order of the draw.
        noise: the kind, the side and the share of pairs.
        seed: which of the pairs are touched, and any chance within the kind.
        corpus: what the pairs were drawn from.
        settings: where caches lie.

    Raises:
        InputError: the corpus does not have what this kind of noise needs.
    """
    if not noise.active:
        return tuple(NoisyPair(pair, pair) for pair in pairs)
    kind = KINDS[noise.kind]
    sides: tuple[Side, ...] = ("source", "target") if noise.side == "both" else (noise.side,)
    seen: dict[Direction, int] = {}
    result = []
    for pair in pairs:
        place = seen.get(pair.direction, 0)
        seen[pair.direction] = place + 1
        if _chance(place, pair.direction, seed) < noise.ratio:
            texts = {side: kind.corrupt_text(pair, side, seed, corpus, settings) for side in sides}
            noisy = Pair(
                direction=pair.direction,
                source=texts.get("source", pair.source),
                target=texts.get("target", pair.target),
                key=pair.key,
            )
            result.append(NoisyPair(pair, noisy, sides))
        else:
            result.append(NoisyPair(pair, pair))
    return tuple(result)


def preview(
    noise: Noise,
    spec: RunSpec,
    settings: Settings,
    texts: Sequence[tuple[str, str]] | None = None,
) -> tuple[NoisyPair, ...]:
    """What noise does to the pairs of a spec, or to a person's own.

    Args:
        noise: the kind, the side and the share of pairs.
        spec: its corpus teaches the words; its draw gives the pairs when no texts are given.
        settings: where caches lie.
        texts: (source, target) in the spec's first training direction.

    Raises:
        InputError: a corpus, direction or size that cannot be had.
        NotAvailable: the corpus lies where this machine cannot reach.
    """
    corpus = corpora_for(spec, settings).train
    if texts is None:
        pairs = draw_for(spec, settings).pairs
    else:
        pairs = tuple(
            Pair(direction=spec.train[0], source=source, target=target, key=f"given:{number}")
            for number, (source, target) in enumerate(texts, start=1)
        )
    return corrupt(pairs, noise, spec.seed, corpus, settings)


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


__all__ = ["KINDS", "Kind", "NoisyPair", "Side", "corrupt", "diff", "preview"]

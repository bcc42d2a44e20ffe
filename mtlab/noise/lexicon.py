"""A word-by-word lexicon, induced from a corpus's own parallel text.

The lexicon of a pair of languages comes from the training pools of both directions (never from the
test set), gives each word the one word it translates best to, and is kept in the cache folder under
the digests of those pools.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import TypedDict

from mtlab.corpora.cache import keep
from mtlab.corpora.pairs import Corpus
from mtlab.noise.tokens import chinese_words, is_word, joined, tokens
from mtlab.settings import Settings
from mtlab.spec import Direction

VERSION = 1
"""Raised when the induction changes, so that older lexicons in a cache are left alone."""

MAX_PAIRS = 20_000
MAX_LINKS = 4_000_000
"""Possible word links taken from the shortest sentences on: a few seconds and half a gigabyte."""

LEAST_SHARE = 0.003
"""A word that is linked with its best translation in a smaller share of its uses is copied."""


class _Kept(TypedDict):
    """What a lexicon's file holds: entries by direction, and Chinese words."""

    entries: dict[str, dict[str, str]]
    words: list[str]


_loaded: dict[str, Lexicon] = {}


@dataclass(frozen=True)
class Lexicon:
    """One word for each word of the source language, lower-cased.

    Attributes:
        direction: from which language into which.
        entries: the translation of each word, in the case it usually has.
        words: for a Chinese source, the words to cut it into.
    """

    direction: Direction
    entries: Mapping[str, str]
    words: Collection[str] = field(default=frozenset(), repr=False)

    def word_by_word(self, text: str) -> str:
        """The text, each word replaced by its entry; what has none is copied."""
        source, target = self.direction.source, self.direction.target
        return joined(
            [self.entries.get(token.lower(), token) for token in tokens(text, source, self.words)],
            target,
        )


def lexicon(corpus: Corpus, direction: Direction, settings: Settings) -> Lexicon:
    """The lexicon of a direction, from the cache or induced now.

    Raises:
        InputError: the corpus has no training pairs of that direction.
    """
    known = corpus.train_directions()
    both = [d for d in _ordered(direction) if d in known] or [direction]
    digests = [corpus.digest(d, "train") for d in both]
    name = hashlib.sha256(":".join([str(VERSION), *digests]).encode()).hexdigest()[:24]
    key = f"{name}:{direction}"
    if key not in _loaded:
        first = _ordered(direction)[0]
        path = settings.cache / "lexicons" / f"{first}-{name}.json"
        found = _read(path) or _induced(corpus, both, first, path)
        _loaded[key] = Lexicon(
            direction,
            found["entries"][str(direction)],
            frozenset(found["words"]) if direction.source == "zh" else frozenset(),
        )
    return _loaded[key]


def _ordered(direction: Direction) -> tuple[Direction, Direction]:
    """The direction and its reverse, the same way round whichever is given."""
    first, second = sorted((direction, direction.reversed()), key=str)
    return first, second


def _read(path: Path) -> _Kept | None:
    try:
        found: _Kept = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found


def _induced(corpus: Corpus, both: list[Direction], first: Direction, path: Path) -> _Kept:
    from mtlab.noise.alignment import word_links

    texts = _texts(corpus, both, first)
    words = frozenset(chinese_words(pair["zh"] for pair in texts if "zh" in pair))
    cut = [
        (
            _words(pair[first.source], first.source, words),
            _words(pair[first.target], first.target, words),
        )
        for pair in texts
    ]
    cut = _affordable([pair for pair in cut if all(pair)])
    left, right = [side for side, _ in cut], [side for _, side in cut]
    links = word_links(list(zip(_lowered(left), _lowered(right), strict=True)))
    back = [(other, word, times) for word, other, times in links]
    entries = {
        str(first): _best(links, left, _usual_case(right)),
        str(first.reversed()): _best(back, right, _usual_case(left)),
    }
    found: _Kept = {"entries": entries, "words": sorted(words)}
    keep(path, json.dumps(found, ensure_ascii=False))
    return found


def _texts(corpus: Corpus, both: list[Direction], first: Direction) -> list[dict[str, str]]:
    """The parallel texts by language, each once, at most `MAX_PAIRS`."""
    seen: dict[tuple[str, str], None] = {}
    for direction in both:
        for pair in corpus.pool(direction):
            texts = {direction.source: pair.source, direction.target: pair.target}
            seen[texts[first.source], texts[first.target]] = None
    step = -(-len(seen) // MAX_PAIRS)
    return [{first.source: a, first.target: b} for a, b in list(seen)[::step]]


_Cut = tuple[list[str], list[str]]


def _affordable(pairs: list[_Cut]) -> list[_Cut]:
    """The shortest pairs, as many as `MAX_LINKS` allows."""
    by_size = sorted(pairs, key=lambda pair: len(pair[0]) * len(pair[1]))
    so_far = accumulate(len(source) * len(target) for source, target in by_size)
    return [pair for pair, links in zip(by_size, so_far, strict=True) if links <= MAX_LINKS]


def _words(text: str, code: str, chinese: Collection[str]) -> list[str]:
    return [token for token in tokens(text, code, chinese) if is_word(token)]


def _lowered(sentences: list[list[str]]) -> list[list[str]]:
    return [[word.lower() for word in sentence] for sentence in sentences]


def _best(
    links: Iterable[tuple[str, str, float]], sentences: list[list[str]], case: Mapping[str, str]
) -> dict[str, str]:
    """The word each word is linked with most often, where that is often enough."""
    count = Counter(word for sentence in _lowered(sentences) for word in sentence)
    best: dict[str, tuple[float, str]] = {}
    for word, other, times in links:
        if times >= LEAST_SHARE * count[word]:
            best[word] = max(best.get(word, (0.0, "")), (times, other))
    return {word: case[other] for word, (_, other) in sorted(best.items())}


def _usual_case(sentences: list[list[str]]) -> dict[str, str]:
    """How each word is mostly written where case means something: not at the beginning.

    A word that only ever begins a sentence, with a capital, is written small.
    """
    inside = Counter(
        word
        for sentence in sentences
        for place, word in enumerate(sentence)
        if place or word != word.capitalize()
    )
    usual = {word.lower(): word.lower() for sentence in sentences for word in sentence[:1]}
    most: dict[str, int] = {}
    for word, times in sorted(inside.items()):
        if times > most.get(word.lower(), 0):
            most[word.lower()], usual[word.lower()] = times, word
    return usual

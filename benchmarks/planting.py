"""Failures planted in true translations: what `benchmarks.failures` looks for.

Each function takes a true segment and gives hypotheses that fail in one known way. Planted is only
what a reader would call that failure: no copy of a source that its reference repeats, no cut that
leaves a whole sentence, no wrong language in fewer than five words (or ten Han characters and
kana), where even a person may not tell.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from mtlab.prompts import INSTRUCTIONS, Template
from mtlab.spec import Direction

FEWEST_WORDS = 5
FEWEST_CHARACTERS = 10
UNSPACED = ("ja", "zh")
END_MARKS = tuple(".!?…。！？\"'”’“»«›‹)]）】」』：:")


@dataclass(frozen=True)
class Segment:
    """A true translation."""

    direction: Direction
    source: str
    reference: str


@dataclass(frozen=True)
class Planted:
    """A hypothesis that fails in a known way; `language` is that of an off-target one."""

    segment: Segment
    hypothesis: str
    language: str | None = None


Texts = Mapping[str, Sequence[str]]
"""True sentences of each language."""


def units(text: str, language: str) -> list[str]:
    """Words, or characters where words are not set apart."""
    return list(text) if language in UNSPACED else text.split()


def joined(parts: Sequence[str], language: str) -> str:
    """`units` put together again."""
    return ("" if language in UNSPACED else " ").join(parts)


def long_enough(text: str, language: str) -> bool:
    """Whether a text is a sentence and not a word or two."""
    needed = FEWEST_CHARACTERS if language in UNSPACED else FEWEST_WORDS
    return sum(any(map(str.isalpha, unit)) for unit in units(text, language)) >= needed


def empty(segment: Segment, texts: Texts, draw: random.Random) -> Iterator[Planted]:
    """Nothing, or marks alone."""
    yield Planted(segment, draw.choice(("", "  ", "\n", "...", "—", "?!")))


def echo(segment: Segment, texts: Texts, draw: random.Random) -> Iterator[Planted]:
    """The instruction instead of, or the prompt's end before, a translation."""
    variant = draw.randrange(len(INSTRUCTIONS))
    template = Template()
    prompt = template.prompt(segment.source, segment.direction, variant)
    instruction = Template("{instruction}").prompt("", segment.direction, variant)
    yield Planted(segment, instruction)
    yield Planted(segment, f"{instruction} {segment.reference}")
    yield Planted(segment, prompt + segment.reference)
    yield Planted(segment, f"{segment.reference}\n\n### Response:\n{segment.reference}")
    yield Planted(segment, f"{segment.reference}<|im_end|>")


def copy(segment: Segment, texts: Texts, draw: random.Random) -> Iterator[Planted]:
    """The source, the source in small letters, the source with a word lost."""
    words = units(segment.source, segment.direction.source)
    kept = set(segment.reference.casefold().split())
    own = sum(word.casefold() not in kept for word in segment.source.split())
    if own < len(segment.source.split()) / 2 or not long_enough(
        segment.source, segment.direction.source
    ):
        return
    yield Planted(segment, segment.source)
    yield Planted(segment, segment.source.lower().rstrip("."))
    lost = draw.randrange(len(words))
    yield Planted(segment, joined(words[:lost] + words[lost + 1 :], segment.direction.source))


def off_target(segment: Segment, texts: Texts, draw: random.Random) -> Iterator[Planted]:
    """A true sentence of another language that is neither the target nor the source."""
    way = segment.direction
    others = [code for code in texts if code not in (way.target, way.source)]
    code = draw.choice(others)
    said = draw.choice(texts[code])
    if long_enough(said, code):
        yield Planted(segment, said, language=code)


def repetition(segment: Segment, texts: Texts, draw: random.Random) -> Iterator[Planted]:
    """The beginning of the reference, then a phrase of it over and over."""
    target = segment.direction.target
    words = units(segment.reference, target)
    if len(words) < FEWEST_WORDS:
        return
    for length, times in ((1, 8), (2, 6), (4, 5)):
        start = draw.randrange(len(words) - length)
        phrase = words[start : start + length]
        if any(map(str.isalnum, "".join(phrase))):
            yield Planted(segment, joined(words[:start] + phrase * times, target))


def over_long(segment: Segment, texts: Texts, draw: random.Random) -> Iterator[Planted]:
    """The reference, then other sentences of its language, until it is more than twice as long."""
    target = segment.direction.target
    if not long_enough(segment.reference, target):
        return
    said = segment.reference
    while len(said) < 2 * len(segment.reference) or len(said) < len(segment.reference) + 30:
        said += ("" if target in UNSPACED else " ") + draw.choice(texts[target])
    yield Planted(segment, said)


def truncated(segment: Segment, texts: Texts, draw: random.Random) -> Iterator[Planted]:
    """A fifth to three quarters of the reference, cut where no sentence ends."""
    target = segment.direction.target
    words = units(segment.reference, target)
    ends = segment.source.endswith(END_MARKS[:7]) and segment.reference.endswith(END_MARKS[:7])
    if not ends or not long_enough(segment.reference, target):
        return
    cut = joined(words[: max(1, round(len(words) * draw.uniform(0.2, 0.75)))], target).strip()
    if len(cut) <= 0.75 * len(segment.reference) and not cut.endswith(END_MARKS):
        yield Planted(segment, cut)


PLANTS: dict[str, Callable[[Segment, Texts, random.Random], Iterator[Planted]]] = {
    "empty": empty,
    "echo": echo,
    "copy": copy,
    "off-target": off_target,
    "repetition": repetition,
    "over-long": over_long,
    "truncated": truncated,
}
"""How to plant each failure."""

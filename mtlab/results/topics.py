"""Findings in sections, one for each question, so that hundreds of them can be read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mtlab.results.findings import Finding

TOPICS = {
    "kept": "What a size keeps of what the largest gives",
    "saturation": "The size from which on nothing more was found",
    "step": "From one size to the next",
    "transfer": "What one direction keeps of what all give, over the others",
    "derailing": "Output in the wrong language, with English as the only target",
    "fewer": "Fewer directions against all, direction by direction",
    "against clean": "Noisy against clean",
    "sides": "Noise on the target side against the source side",
    "ratio": "More noisy pairs against fewer",
    "hardly seen": "Noise in a well-seen language against a hardly seen one",
    "cured": "Reversed pairs: output in the wrong language",
    "reversed": "Reversed pairs: the score",
    "cycle": "From one cycle to another",
    "accumulating": "Noise after the last cycle against noise after the first",
    "methods": "LoRA against full fine-tuning",
    "systems": "Fine-tuned against what was not trained",
    "setting": "One setting changed",
    "bases": "One base model against another",
    "untuned": "Fine-tuned against untuned",
}
"""Headings in the order in which they are read."""

_TELLING = ("kept", "saturation", "transfer")
"""Topics that say something also where no difference was found."""


@dataclass(frozen=True)
class Section:
    """The findings on one topic.

    Attributes:
        heading: what they are about.
        telling: those with a difference, and those that say something without one.
        nothing: the others.
    """

    heading: str
    telling: tuple[Finding, ...]
    nothing: tuple[Finding, ...]


def sections(findings: Iterable[Finding]) -> Iterator[Section]:
    """The findings by topic, in the order of `TOPICS`; a topic without any is left out."""
    by_topic: dict[str, list[Finding]] = {}
    for finding in findings:
        by_topic.setdefault(finding.topic, []).append(finding)
    for topic, heading in TOPICS.items():
        own = by_topic.get(topic, [])
        telling = [one for one in own if one.found or topic in _TELLING]
        nothing = [one for one in own if one not in telling]
        if own:
            yield Section(heading, tuple(telling), tuple(nothing))

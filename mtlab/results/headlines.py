"""Findings by the plot they stand above, the most telling first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mtlab.results.findings import Finding

SECTIONS = ("size", "transfer", "noise", "failures", "other")
"""The plots; `other` holds every kind of finding that no plot shows."""

_BY_KIND = {"size": "size", "direction": "transfer", "noise": "noise"}
_BY_TOPIC = {"untuned": "size", "derailing": "failures"}
_TELLING = (
    "untuned", "saturation", "transfer", "derailing", "sides", "against clean", "hardly seen",
)  # fmt: skip


@dataclass(frozen=True)
class Headlines:
    """The findings of one plot.

    Attributes:
        found: differences that were found, and from where on more data does not help.
        nothing: comparisons in which no difference was found.
    """

    found: tuple[Finding, ...] = ()
    nothing: tuple[Finding, ...] = ()

    def __len__(self) -> int:
        return len(self.found) + len(self.nothing)


def headlines(findings: Iterable[Finding]) -> dict[str, Headlines]:
    """The findings of every section in `SECTIONS`.

    Args:
        findings: of any kinds; one that is not known here goes to `other`.
    """
    parts: dict[str, list[Finding]] = {name: [] for name in SECTIONS}
    for finding in findings:
        section = _BY_TOPIC.get(finding.topic) or _BY_KIND.get(finding.kind, "other")
        parts[section].append(finding)
    return {name: _headlines(part) for name, part in parts.items()}


def _headlines(findings: Sequence[Finding]) -> Headlines:
    return Headlines(
        tuple(_by_turns(one for one in findings if _says_something(one))),
        tuple(sorted((one for one in findings if not _says_something(one)), key=_rank)),
    )


def _by_turns(findings: Iterable[Finding]) -> list[Finding]:
    """The largest difference of each topic, then the second largest of each, and so on."""
    turns: Counter[str] = Counter()
    placed = []
    for one in sorted(findings, key=_rank):
        placed.append((turns[one.topic], one))
        turns[one.topic] += 1
    return [one for _, one in sorted(placed, key=lambda pair: (pair[0], _rank(pair[1])))]


def _says_something(finding: Finding) -> bool:
    return finding.found or finding.topic == "saturation"


def _rank(finding: Finding) -> tuple[int, float]:
    place = _TELLING.index(finding.topic) if finding.topic in _TELLING else len(_TELLING)
    return place, -abs(finding.comparison.difference)

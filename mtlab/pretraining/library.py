"""The sentences of a corpus, found by language and by pair, and how much of each was taken."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping
from itertools import combinations

from mtlab.errors import InputError
from mtlab.pretraining.pair_files import Group
from mtlab.pretraining.parallel import Groups


def complete_shares(groups: Groups, wanted: Mapping[str, float]) -> dict[str, float]:
    """The share of text of every language: as wanted, the rest as the corpus has it.

    Raises:
        InputError: a share outside 0-1, of a language the corpus lacks, or a sum over 1.
    """
    for code, share in wanted.items():
        if code not in groups.characters:
            raise InputError(
                f"the corpus has no '{code}'",
                field="share",
                fix=f"use {', '.join(groups.languages)}",
            )
        if not 0 <= share <= 1:
            raise InputError(
                f"{code}={share:g} is no share",
                field="share",
                fix="give a number from 0 to 1, like is=0.02",
            )
    rest = {code: n for code, n in groups.characters.items() if code not in wanted}
    left = 1 - sum(wanted.values())
    if left < -1e-9 or (not rest and left > 1e-9):
        raise InputError(
            f"the shares add up to {1 - left:g}",
            field="share",
            fix="leave a language open, or make them add up to 1",
        )
    total = sum(rest.values())
    shares = {code: left * n / total for code, n in rest.items()} | dict(wanted)
    return dict(sorted(shares.items()))


class Library:
    """Draws sentences at random and keeps count of their characters.

    Attributes:
        draw: the only source of chance.
        taken: characters so far, by language.
    """

    def __init__(self, groups: Groups, shares: Mapping[str, float], draw: random.Random) -> None:
        self.draw = draw
        self._shares = {code: share for code, share in shares.items() if share > 0}
        self.taken: dict[str, int] = dict.fromkeys(self._shares, 0)
        self._by_language: dict[str, list[Group]] = defaultdict(list)
        self._by_pair: dict[tuple[str, str], list[Group]] = defaultdict(list)
        self._partners: dict[str, set[str]] = {code: set() for code in self._shares}
        for group in groups.groups:
            codes = self.codes(group)
            for code in codes:
                self._by_language[code].append(group)
            for left, right in combinations(codes, 2):
                self._by_pair[left, right].append(group)
                self._partners[left].add(right)
                self._partners[right].add(left)

    def lagging(self) -> str:
        """The language that lags furthest behind its share."""
        total = sum(self.taken.values())
        return max(self._shares, key=lambda code: self._shares[code] * total - self.taken[code])

    def codes(self, group: Group) -> list[str]:
        """The languages of a group that have a share, in the order of their codes."""
        return [code for code in sorted(group) if code in self._shares]

    def has_partner(self, code: str) -> bool:
        """Whether any pair of the corpus holds this language."""
        return bool(self._partners[code])

    def partner(self, code: str) -> str:
        """Another language that stands beside this one somewhere, the likelier the larger."""
        partners = sorted(self._partners[code])
        return self.draw.choices(partners, [self._shares[other] for other in partners])[0]

    def shuffled(self, *codes: str) -> list[str]:
        """These languages in random order."""
        return self.draw.sample(codes, len(codes))

    def group(self, *codes: str) -> Group:
        """A group that holds all of these languages."""
        if len(codes) == 1:
            return self.draw.choice(self._by_language[codes[0]])
        pools = [self._by_pair[pair] for pair in combinations(sorted(codes), 2)]
        rarest = min(pools, key=len)
        while True:
            group = self.draw.choice(rarest)
            if all(code in group for code in codes):
                return group

    def take(self, group: Group, code: str) -> str:
        """The group's sentence in a language, counted."""
        self.taken[code] += len(group[code])
        return group[code]

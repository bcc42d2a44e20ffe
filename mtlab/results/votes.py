"""Votes on answers that were shown without their systems' names, kept and summed.

A home's `votes.jsonl` holds a line for each vote:

    id         of what was voted on; each is voted on once
    time       seconds since 1970
    direction  such as `de-en`
    source     the text that was translated
    systems    [{system, name, answer}] in the order shown; `answer` is null where there was none
    choice     `A`, `B`, `C` or `D`, by that order; `tie` or `all bad`
    visitor    a word that tells visits apart and says nothing else; or null
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

from mtlab.results.sign_test import SignTest, p_words, sign_test
from mtlab.runs.files import append_line, read_lines, writing

LETTERS = "ABCD"
TIE = "tie"
ALL_BAD = "all bad"


@dataclass(frozen=True)
class Candidate:
    """One system of a vote; `answer` is None where it gave none."""

    system: str
    name: str
    answer: str | None


@dataclass(frozen=True)
class Vote:
    """One judgement; see the module for its fields."""

    id: str
    direction: str
    source: str
    systems: tuple[Candidate, ...]
    choice: str
    visitor: str | None = None
    time: float = field(default_factory=lambda: round(time.time(), 3))

    @property
    def chosen(self) -> Candidate | None:
        """The system that was called best; None where none was."""
        return None if self.choice in (TIE, ALL_BAD) else self.systems[LETTERS.index(self.choice)]

    def to_json(self) -> dict[str, Any]:
        """The vote as it stands in the file."""
        return {
            "id": self.id,
            "time": self.time,
            "direction": self.direction,
            "source": self.source,
            "systems": [
                {"system": one.system, "name": one.name, "answer": one.answer}
                for one in self.systems
            ],
            "choice": self.choice,
            "visitor": self.visitor,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Vote:
        """Read what `to_json` wrote.

        Raises:
            ValueError: it is no vote.
        """
        try:
            systems = tuple(
                Candidate(str(one["system"]), str(one["name"]), one["answer"])
                for one in data["systems"]
            )
            choice = data["choice"]
            if choice not in (TIE, ALL_BAD, *LETTERS[: len(systems)]):
                raise ValueError(choice)
            return cls(
                str(data["id"]), str(data["direction"]), str(data["source"]), systems, choice,
                data.get("visitor"), float(data["time"]),
            )  # fmt: skip
        except (KeyError, TypeError):
            raise ValueError("not a vote") from None


@dataclass(frozen=True)
class Pair:
    """What the votes say of two systems.

    Attributes:
        one, other: the systems; `one` has won as often as `other` or more often.
        names: what the two were called when they were last voted on.
        wins: votes for `one` where both were shown.
        losses: votes for `other`.
        ties: votes for neither, and for one of two answers that are word for word the same.
        bad: votes that found all answers bad.
    """

    one: str
    other: str
    names: tuple[str, str]
    wins: int
    losses: int
    ties: int
    bad: int

    @property
    def votes(self) -> int:
        """How many there are."""
        return self.wins + self.losses + self.ties + self.bad

    @property
    def test(self) -> SignTest:
        """Whether wins outnumber losses by more than chance."""
        return sign_test(self.wins, self.losses)

    def sentence(self) -> str:
        """What the votes show, in words."""
        one, other = self.names
        decided = self.wins + self.losses
        if not decided:
            return f"Between {one} and {other} no vote was decided."
        verdict = "more often than by chance" if self.test.is_told else "no difference is shown"
        return (
            f"{one} was preferred to {other} in {self.wins} of {decided} decided votes: {verdict} "
            f"({p_words(self.test.p_value)})."
        )


class Votes:
    """The votes of one home. Any number of processes may add to them at once.

    Args:
        home: the lab's folder.
    """

    def __init__(self, home: Path) -> None:
        self.path = home / "votes.jsonl"

    def add(self, vote: Vote) -> None:
        """Keep a vote.

        Raises:
            NotAvailable: the home cannot be written, or its disk is full.
        """
        with writing(self.path):
            append_line(self.path, vote.to_json())

    def take_in(self, votes: Iterable[Vote]) -> None:
        """Keep votes that were kept elsewhere, as far as they are not here.

        Raises:
            NotAvailable: the home cannot be written, or its disk is full.
        """
        here = {vote.id for vote in self.read()}
        for vote in votes:
            if vote.id not in here:
                self.add(vote)

    def read(self) -> list[Vote]:
        """All votes, the oldest first; lines that are torn or no votes are left out."""
        votes: dict[str, Vote] = {}
        for row in read_lines(self.path):
            try:
                vote = Vote.from_json(row)
            except ValueError:
                continue
            votes.setdefault(vote.id, vote)
        return sorted(votes.values(), key=lambda vote: vote.time)


def summed(votes: Iterable[Vote]) -> list[Pair]:
    """Wins, losses and ties of each two systems that were shown together; most votes first."""
    counts: dict[tuple[str, str], Counter[str]] = {}
    names: dict[str, str] = {}
    for vote in votes:
        names |= {one.system: one.name for one in vote.systems}
        answered = sorted(
            (one for one in vote.systems if one.answer is not None), key=lambda one: one.system
        )
        for one, other in combinations(answered, 2):
            outcome = _outcome(vote, one, other)
            if outcome is not None:
                counts.setdefault((one.system, other.system), Counter())[outcome] += 1
    pairs = []
    for (one_id, other_id), count in counts.items():
        wins, losses = count["one"], count["other"]
        if losses > wins:
            one_id, other_id, wins, losses = other_id, one_id, losses, wins
        both = (names[one_id], names[other_id])
        pairs.append(Pair(one_id, other_id, both, wins, losses, count[TIE], count[ALL_BAD]))
    return sorted(pairs, key=lambda pair: (-pair.votes, pair.names))


def _outcome(vote: Vote, one: Candidate, other: Candidate) -> str | None:
    """What a vote says of two of its systems; None where it prefers a third."""
    if vote.choice in (TIE, ALL_BAD):
        return vote.choice
    if vote.chosen not in (one, other):
        return None
    if one.answer == other.answer:
        return TIE
    return "one" if vote.chosen == one else "other"

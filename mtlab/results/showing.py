"""What a visitor was shown: one text, translated by several systems, their names hidden or not."""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from mtlab.errors import InputError
from mtlab.results.votes import ALL_BAD, LETTERS, TIE, Candidate, Vote
from mtlab.spec import Direction

if TYPE_CHECKING:
    from mtlab.scoring.sentence import Remarks

MOST_SYSTEMS = len(LETTERS)
LONGEST_TEXT = 1000

_CHANCE = random.SystemRandom()

Stage = Literal["waiting", "loading", "decoding", "done", "failed"]


@dataclass(frozen=True)
class Answer:
    """One system's answer, as far as it has come.

    Attributes:
        system: what the lab calls it.
        name: for people.
        stage: where it stands.
        text: the answer, or what there is of it.
        tokens: tokens written.
        seconds: how long decoding took, loading the model left out.
        remarks: what was found of it, once it is done.
        problem: why there is none, where it failed.
    """

    system: str
    name: str
    stage: Stage = "waiting"
    text: str = ""
    tokens: int = 0
    seconds: float = 0.0
    remarks: Remarks | None = None
    problem: str = ""


@dataclass(frozen=True)
class Showing:
    """One text and its answers, in the order shown.

    Attributes:
        id: a word of its own, by which it is voted on once.
        direction: from which language into which.
        source: the text.
        reference: a person's translation; empty without one.
        answers: one for each system.
        blind: whether names are hidden until there is a vote.
        choice: the vote; None before it.
    """

    id: str
    direction: Direction
    source: str
    reference: str
    answers: tuple[Answer, ...]
    blind: bool = False
    choice: str | None = None

    @property
    def is_over(self) -> bool:
        """Whether every system has answered or failed."""
        return all(answer.stage in ("done", "failed") for answer in self.answers)

    @property
    def hides_names(self) -> bool:
        """Whether which system is which is not to be told."""
        return self.blind and self.choice is None and (not self.is_over or self.can_be_voted_on)

    @property
    def can_be_voted_on(self) -> bool:
        """Whether there is something to compare and nobody has voted yet."""
        answered = sum(answer.stage == "done" for answer in self.answers)
        return self.blind and self.is_over and self.choice is None and answered > 1

    @property
    def choices(self) -> tuple[str, ...]:
        """What may be voted: a letter for each system that answered, a tie, all bad."""
        letters = zip(LETTERS, self.answers, strict=False)
        return (*(letter for letter, one in letters if one.stage == "done"), TIE, ALL_BAD)

    def blinded(self, shuffle: Callable[[list[Answer]], None] = _CHANCE.shuffle) -> Showing:
        """The same with the names hidden until there is a vote, and in an order of chance.

        Raises:
            InputError: there is nothing to compare.
        """
        if len(self.answers) < 2:
            raise InputError(
                "one system cannot be compared",
                field="Systems",
                fix="choose two or more for a vote",
            )
        answers = list(self.answers)
        shuffle(answers)
        return replace(self, answers=tuple(answers), blind=True)

    def with_answer(self, number: int, answer: Answer) -> Showing:
        """The same, with the answer at a place replaced."""
        answers = (*self.answers[:number], answer, *self.answers[number + 1 :])
        return replace(self, answers=answers)

    def vote(self, choice: str, visitor: str | None) -> tuple[Showing, Vote]:
        """The showing with its names told, and the vote to be kept.

        Args:
            choice: one of `choices`.
            visitor: a word for who votes, or None.

        Raises:
            InputError: it cannot be voted on, any more or at all, or there is no such choice.
        """
        if not self.can_be_voted_on:
            raise InputError(
                "there is nothing to vote on", field="vote", fix="translate a text in blind mode"
            )
        if choice not in self.choices:
            raise InputError(
                f"'{choice}' is not a choice", field="vote", fix=f"use {', '.join(self.choices)}"
            )
        systems = tuple(
            Candidate(one.system, one.name, one.text if one.stage == "done" else None)
            for one in self.answers
        )
        vote = Vote(self.id, str(self.direction), self.source, systems, choice, visitor)
        return replace(self, choice=choice), vote


def begin(
    text: str,
    direction: Direction,
    systems: Sequence[tuple[str, str]],
    *,
    reference: str = "",
) -> Showing:
    """A showing in which every system waits.

    Args:
        text: what is to be translated.
        direction: from which language into which.
        systems: (name, what the lab calls it) of each.
        reference: a person's translation, if there is one.

    Raises:
        InputError: the text is empty or too long, or there are no systems or too many.
    """
    text = checked_text(text)
    reference = reference.strip() if isinstance(reference, str) else ""
    if reference:
        checked_text(reference, field="Reference")
    if not systems:
        raise InputError("no system is chosen", field="Systems", fix="choose at least one")
    if len(systems) > MOST_SYSTEMS:
        raise InputError(
            f"{len(systems)} systems are too many", field="Systems", fix=f"choose {MOST_SYSTEMS}"
        )
    answers = tuple(Answer(system, name) for name, system in systems)
    return Showing(secrets.token_hex(8), direction, text, reference, answers)


def checked_text(text: str, field: str = "Text", most: int = LONGEST_TEXT) -> str:
    """A text without the white space around it.

    Raises:
        InputError: it is empty, too long, or holds halves of characters.
    """
    text = text.strip() if isinstance(text, str) else ""
    if not text:
        raise InputError("nothing is typed", field=field, fix="type a sentence")
    if len(text) > most:
        raise InputError(
            f"{len(text):,} characters are too many", field=field, fix=f"give {most:,} at most"
        )
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InputError(
            "it holds halves of characters", field=field, fix="give it in UTF-8"
        ) from None
    return text

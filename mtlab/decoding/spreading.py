"""Batches that other processes translate: what each is told, and what gathers the answers.

A batch goes whole to whoever is free. Which sentences share it was decided before, so its answers
are the same wherever it is translated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from mtlab.decoding.hypothesis import Hypothesis
from mtlab.spec import Decoding


@dataclass(frozen=True)
class Parcel:
    """One batch, with all that decides its answers but the model.

    Attributes:
        prompts: as tokens.
        heads: how many tokens each prompt begins with that its direction's others begin with, too.
        seeds: of sampling, one for each prompt.
        decoding: how.
        ends: the tokens that end an answer.
        one_line: whether an answer ends with its line.
    """

    prompts: tuple[tuple[int, ...], ...]
    heads: tuple[int, ...]
    seeds: tuple[int, ...]
    decoding: Decoding
    ends: tuple[int, ...]
    one_line: bool


Answers = list[Hypothesis]


class Hands(Protocol):
    """Who translates the batches of an input."""

    def __call__(
        self, parcels: Sequence[Parcel], own: Callable[[int], Answers], poll: Callable[[], None]
    ) -> Iterator[tuple[int, Answers]]:
        """The answers to each parcel, with its number, as they are there.

        Args:
            parcels: what is asked.
            own: translates the parcel of a number in this process.
            poll: called while others are waited for; raises to end it.
        """


def alone(
    parcels: Sequence[Parcel], own: Callable[[int], Answers], poll: Callable[[], None]
) -> Iterator[tuple[int, Answers]]:
    """This process translates all of them, in their order (a `Hands`)."""
    for number in range(len(parcels)):
        yield number, own(number)

"""Answers that outlive the process that made them: decoding goes on at the batch where it died.

Which sentences share a batch is decided before the first is translated, from all of them
(`mtlab.decoding.batches`), and is the same each time. Padding, the order of sums and the kernel a
matrix product picks depend on the batch, and with them the last bits of the logits. So a batch is
the unit: one whose answers are all there is passed over, any other is translated again as a whole.
An interrupted direction then ends with the very answers of one that was never interrupted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from mtlab.decoding.hypothesis import Hypothesis

Make = Callable[[Sequence[int]], Sequence[Hypothesis]]


class Kept(Protocol):
    """Where answers are put as batches end, each under its source's first place in the input."""

    def read(self) -> Mapping[int, Hypothesis]:
        """What an earlier attempt at the same sources has left."""

    def add(self, answers: Mapping[int, Hypothesis]) -> None:
        """Keep a batch's answers.

        Raises:
            OSError: they cannot be written.
        """


class Nowhere:
    """Keeps nothing."""

    def read(self) -> Mapping[int, Hypothesis]:
        """Nothing."""
        return {}

    def add(self, answers: Mapping[int, Hypothesis]) -> None:
        """Forget them."""


def batch_by_batch(
    batches: Sequence[Sequence[int]],
    kept: Kept,
    make: Make,
    spread: Callable[[Sequence[Sequence[int]], Make], Iterable[tuple[int, Sequence[Hypothesis]]]]
    | None = None,
) -> Iterator[dict[int, Hypothesis]]:
    """Each batch's answers by place, as they are there: those that were kept first.

    Args:
        batches: the places in the input, batch by batch.
        kept: what has been answered, and where answers go.
        make: translates one batch.
        spread: has all of the batches translated, giving each one's number and answers as they are
            there; one after the other here when not given.
    """
    known = kept.read()
    left: list[Sequence[int]] = []
    for batch in batches:
        if all(place in known for place in batch):
            yield {place: known[place] for place in batch}
        else:
            left.append(batch)
    for number, found in (spread or _in_order)(left, make):
        answers = dict(zip(left[number], found, strict=True))
        kept.add(answers)
        yield answers


def _in_order(
    batches: Sequence[Sequence[int]], make: Make
) -> Iterator[tuple[int, Sequence[Hypothesis]]]:
    for number, batch in enumerate(batches):
        yield number, make(batch)

"""The segments of one direction as several systems translated them, in one order.

Systems need not have been tested on the same segments: those that all were tested on are put side
by side (the same source and reference), in the order of the first system's test set.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from mtlab.results.evidence import Reader, Segments
from mtlab.results.reading import read_scores
from mtlab.results.systems import System
from mtlab.scoring.bootstrap import Floats
from mtlab.scoring.failures.words import tokens
from mtlab.scoring.lexical import segment_signature
from mtlab.scoring.statistics import SegmentStatistics
from mtlab.spec import Direction

Places = npt.NDArray[np.intp]
"""Places in a list of segments, counted from 0."""


@dataclass(frozen=True, eq=False)
class SideBySide:
    """Segments that several systems translated.

    Attributes:
        direction: from which language into which.
        systems: one to four.
        segments: per system what it made of the shared segments, in the same order.
        tested: per system how many segments it was tested on.
        numbers: of each shared segment, its number in the first system's test set, from 1.
    """

    direction: Direction
    systems: tuple[System, ...]
    segments: tuple[Segments, ...]
    tested: tuple[int, ...]
    numbers: tuple[int, ...]
    _reader: Reader = field(repr=False)
    _places: tuple[Places | None, ...] = field(repr=False)

    @property
    def n(self) -> int:
        """How many segments all systems were tested on."""
        return len(self.numbers)

    @property
    def sources(self) -> tuple[str, ...]:
        """The shared sources."""
        return self.segments[0].sources

    @property
    def references(self) -> tuple[str, ...]:
        """The shared references."""
        return self.segments[0].references

    @property
    def same_test(self) -> bool:
        """Whether all systems were tested on the same segments, in one order and on no others."""
        return all(places is None for places in self._places)

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics that every system has a score for, segment by segment.

        Scores of different COMET models cannot be compared.
        """
        models = {system.run.spec.comet_model for system in self.systems}
        comet = len(models) == 1 and all("comet" in one.scores for one in self.segments)
        return ("chrf", "bleu", "comet") if comet else ("chrf", "bleu")

    def lengths(self) -> npt.NDArray[np.int_]:
        """The length of each source in words; in characters where words are not set apart."""
        return np.array([len(tokens(source)) for source in self.sources], dtype=np.int_)

    @property
    def length_unit(self) -> str:
        """What `lengths` counts."""
        return "characters" if self.direction.source in ("ja", "zh") else "words"

    def scores(self, metric: str) -> Floats:
        """A score per system and segment, shape (systems, n).

        Raises:
            InputError: a system has no such scores.
            NotAvailable: they cannot be counted on this machine.
        """
        rows = []
        for system, places in zip(self.systems, self._places, strict=True):
            found = self._reader.segment_scores(
                system.run, self.direction, metric, untuned=system.untuned
            )
            rows.append(found if places is None else found[places])
        return np.stack(rows)

    def segment_signature(self, metric: str) -> str:
        """What it takes to get `scores` again; for COMET the signature that the run wrote.

        Raises:
            NotAvailable: they cannot be counted on this machine.
        """
        if metric in ("bleu", "chrf"):
            return segment_signature(metric, self.direction.target)
        first = self.systems[0]
        written = read_scores(first.run.folder)["base" if first.untuned else "scores"]
        score = (written.get(str(self.direction)) or {}).get(metric) or {}
        return str(score.get("signature") or first.run.spec.comet_model)

    def statistics(self, metric: str) -> list[SegmentStatistics]:
        """Per system what each shared segment adds to its corpus score; raises as `scores`."""
        found = []
        for system, places in zip(self.systems, self._places, strict=True):
            counted = self._reader.statistics(
                system.run, self.direction, metric, untuned=system.untuned
            )
            found.append(
                counted if places is None else SegmentStatistics(metric, counted.rows[places])
            )
        return found


def side_by_side(systems: Sequence[System], direction: Direction, reader: Reader) -> SideBySide:
    """Put systems side by side, segment by segment.

    Args:
        systems: at least one, each with translations of the direction.
        direction: from which language into which.
        reader: keeps what was read.

    Raises:
        InputError: a system has no translations of the direction, or not of every segment.
    """
    read = [reader.segments(one.run, direction, untuned=one.untuned) for one in systems]
    first = read[0]
    if all((o.sources, o.references) == (first.sources, first.references) for o in read[1:]):
        places: list[Places | None] = [None] * len(read)
        numbers = tuple(range(1, len(first.sources) + 1))
    else:
        shared = _shared(read)
        places = list(shared)
        numbers = tuple(int(place) + 1 for place in shared[0])
    return SideBySide(
        direction=direction,
        systems=tuple(systems),
        segments=tuple(
            segments if chosen is None else segments.at(chosen)
            for segments, chosen in zip(read, places, strict=True)
        ),
        tested=tuple(len(segments.sources) for segments in read),
        numbers=numbers,
        _reader=reader,
        _places=tuple(places),
    )


def _shared(read: Sequence[Segments]) -> list[Places]:
    """Per system the places of the segments that all have, in the first one's order.

    A segment that stands several times in a test set is told apart by its turn.
    """
    tables = []
    for segments in read:
        turns: Counter[tuple[str, str]] = Counter()
        table = {}
        for place, pair in enumerate(zip(segments.sources, segments.references, strict=True)):
            table[(*pair, turns[pair])] = place
            turns[pair] += 1
        tables.append(table)
    keys = [key for key in tables[0] if all(key in table for table in tables[1:])]
    return [np.array([table[key] for key in keys], dtype=np.intp) for table in tables]

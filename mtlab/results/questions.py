"""The questions a set of conditions can answer.

paper_questions  what the paper asks: base, size, direction, noise
next_questions   what comes after it: reversed pairs, cycles, methods, settings
"""

from __future__ import annotations

from collections.abc import Sequence

from mtlab.results.conditions import Condition
from mtlab.results.next_questions import next_questions
from mtlab.results.paper_questions import paper_questions
from mtlab.results.question import KINDS, Question


def questions(conditions: Sequence[Condition], metric: str) -> list[Question]:
    """Everything the conditions can be asked, the directions one by one.

    On a grid a value is held against the one before it and against one of reference, never every
    one against every other.

    Args:
        conditions: as `mtlab.results.conditions.conditions` groups them.
        metric: of the scores; what goes off target is asked of off-target output.
    """
    found = [*paper_questions(conditions, metric), *next_questions(conditions, metric)]
    return sorted(found, key=lambda question: KINDS.index(question.kind))

"""How long answers are before any run has finished: untuned models ramble, tuned ones end.

What finished runs say of it is `mtlab.forecasting.experience`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from mtlab.forecasting.physics import Answers
from mtlab.methods import FEW_SHOT, NONE
from mtlab.spec import RunSpec


class Answered(NamedTuple):
    """How long answers were, and how many that was; or what an expectation is worth, in answers."""

    answers: Answers
    number: float


_OF_BASE = Answered(Answers(ended=0.5, ratio=3.0), 6)
_OF_METHOD: Mapping[str, Answered] = {
    FEW_SHOT: Answered(Answers(ended=0.995, ratio=1.1), 6),
    NONE: Answered(Answers(ended=0.9, ratio=1.2), 6),
}
_TUNED = Answered(Answers(ended=0.995, ratio=1.0), 6)

# The bundled base on 100 everyday sentences of each direction, untuned.
_OF_NANO: Mapping[str, Answers] = {
    "de-en": Answers(0.78, 4.7), "en-de": Answers(0.99, 3.4),
    "fr-en": Answers(0.97, 4.0), "en-fr": Answers(1.0, 3.3),
    "is-en": Answers(0.99, 5.4), "en-is": Answers(1.0, 3.8),
    "de-fr": Answers(1.0, 3.3), "fr-de": Answers(1.0, 2.7),
    "de-is": Answers(0.98, 4.0), "is-de": Answers(1.0, 3.0),
    "fr-is": Answers(0.99, 3.9), "is-fr": Answers(1.0, 3.4),
}  # fmt: skip
_NANO = Answers(ended=0.97, ratio=3.7, by=_OF_NANO)


def at_first(spec: RunSpec, phase: str, direction: str = "") -> Answered:
    """How long the answers of a phase are expected to be, and how firmly.

    Args:
        spec: complete.
        phase: `base` or `decode`.
        direction: one of its own; all when not given.
    """
    if spec.base == "nano" and (phase == "base" or spec.training.method == NONE):
        known = direction in _OF_NANO and spec.test_corpus == "everyday"
        return Answered(_NANO.of(direction), 40 if known else 6)
    if phase == "base":
        return _OF_BASE
    return _OF_METHOD.get(str(spec.training.method), _TUNED)

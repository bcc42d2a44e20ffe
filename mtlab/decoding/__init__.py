"""Decoding: sentences and a model in, hypotheses out, the same for any order of the input.

Importing this package imports torch; `runs.job` and the doors do so only when a model is needed.
"""

from mtlab.decoding.budget import fitting_budget
from mtlab.decoding.engines import described
from mtlab.decoding.hypothesis import Hypothesis
from mtlab.decoding.keeping import Kept
from mtlab.decoding.seq2seq import translate_seq2seq
from mtlab.decoding.spreading import Hands, Parcel, alone
from mtlab.decoding.translator import (
    Asked,
    DecodingStopped,
    answer_parcel,
    stream,
    translate,
    translate_together,
)

__all__ = [
    "Asked",
    "DecodingStopped",
    "Hands",
    "Hypothesis",
    "Kept",
    "Parcel",
    "alone",
    "answer_parcel",
    "described",
    "fitting_budget",
    "stream",
    "translate",
    "translate_seq2seq",
    "translate_together",
]

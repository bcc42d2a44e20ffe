"""Decoding: sentences and a model in, hypotheses out, the same for any order of the input.

Importing this package imports torch; `runs.job` and the doors do so only when a model is needed.
"""

from mtlab.decoding.seq2seq import translate_seq2seq
from mtlab.decoding.translator import DecodingStopped, Hypothesis, stream, translate

__all__ = ["DecodingStopped", "Hypothesis", "stream", "translate", "translate_seq2seq"]

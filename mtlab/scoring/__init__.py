"""Scores and failures of translations.

    score_systems    systems that translated the same segments -> a SystemScores each
    lexical          BLEU and chrF, through sacrebleu
    comet            COMET, through comet_program in an environment of its own, comet_env;
                     comet_status says beforehand whether it can be had
    failures/        empty, echo, copy, off-target, repetition, over-long, truncated: per segment
                     and as shares
    gating           scores that a failed segment cannot prop up
    language_id      the language of a segment, where there is ground for a verdict
    bootstrap        the intervals of all of them; statistics: what is resampled
    sampling         scores over the same resamples of segments and seeds
    significance     paired tests: systems on files, conditions over seeds -> comparison
    agreement        what people make of a difference of some size

No score comes without its signature, and none stands in for one that could not be had: that is
`Unavailable`. No torch is imported in this process.
"""

from mtlab.scoring.systems import METRICS, SystemScores, score_systems
from mtlab.scoring.values import Score, Unavailable

__all__ = ["METRICS", "Score", "SystemScores", "Unavailable", "score_systems"]

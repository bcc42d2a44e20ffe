"""What can be said of one answer by itself, without a test set around it."""

from __future__ import annotations

from dataclasses import dataclass

from mtlab.scoring.failures import flag
from mtlab.scoring.failures.words import extent
from mtlab.scoring.language_id import detect_language
from mtlab.scoring.lexical import lexical_scores
from mtlab.scoring.values import Score
from mtlab.spec import Direction


@dataclass(frozen=True)
class Remarks:
    """What was found of one answer.

    Attributes:
        failures: out of `mtlab.scoring.failures.FAILURES`.
        language: the code of the language it is in; None where it cannot be told, as of two words.
        wrong_language: the language of an off-target answer, as `Verdict.language`.
        length_ratio: its length as a share of the source's, in letters that are fair to every
            script; None where the source has none.
        chrf: sentence chrF against the reference, 0 to 100; None without a reference.
        signature: sacrebleu's, of that score.
    """

    failures: tuple[str, ...]
    language: str | None
    wrong_language: str | None
    length_ratio: float | None
    chrf: float | None = None
    signature: str | None = None


def remarks(
    source: str,
    hypothesis: str,
    direction: Direction,
    reference: str | None = None,
    ended: bool = True,
) -> Remarks:
    """Look at one answer.

    Args:
        source: the text that was translated.
        hypothesis: the answer.
        direction: from which language into which.
        reference: a person's translation, if there is one.
        ended: whether the model ended the answer itself.
    """
    reference = (reference or "").strip() or None
    verdict = flag(source, reference, hypothesis, direction, ended)
    asked = extent(source)
    score = None
    if reference:
        scored = lexical_scores("chrf", [reference], {"": [hypothesis]}, direction.target)[""]
        score = scored if isinstance(scored, Score) else None
    return Remarks(
        failures=verdict.names,
        language=detect_language(hypothesis),
        wrong_language=verdict.language,
        length_ratio=extent(hypothesis) / asked if asked else None,
        chrf=score.segments[0] if score and score.segments else None,
        signature=score.signature if score else None,
    )

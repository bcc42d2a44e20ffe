"""How a translation fails, segment by segment: what a score alone hides.

    empty        nothing, or no letter and no digit
    echo         the instruction, or the template around it, instead of or beside a translation
    copy         the source again, nearly word for word
    off-target   in another language than the one asked for
    repetition   the same words over and over, which neither source nor reference does
    over-long    far longer than source and reference call for
    truncated    cut off by the decoder, or ended in mid-sentence where the source does not

A segment may fail in several ways: a copied source is off-target too. `Verdict.chief` is the one
that tells the most, by the order above, and `stacked` counts each segment once, under that one.
`python -m benchmarks.failures` measures how often each is wrongly found in true translations and
how often a planted one is missed; `docs/failures.md` is what it found.

Not covered: a fluent sentence in the right language that says something else, an instruction
echoed in translation, a segment that mixes languages (the larger part decides).
"""

from __future__ import annotations

from mtlab.scoring.failures.copying import is_copy
from mtlab.scoring.failures.echoing import echoes
from mtlab.scoring.failures.lengths import is_over_long, stops_early
from mtlab.scoring.failures.repeating import repeats
from mtlab.scoring.failures.verdicts import (
    FAILURES,
    Verdict,
    languages,
    shares,
    stacked,
)
from mtlab.scoring.failures.words import tokens
from mtlab.scoring.language_id import off_target_language
from mtlab.spec import Direction


def flag(
    source: str,
    reference: str | None,
    hypothesis: str,
    direction: Direction,
    ended: bool = True,
    template: str | None = None,
) -> Verdict:
    """The ways in which one translation fails.

    Args:
        source: the source segment.
        reference: its reference, or None; it tells names and loan words from copied words, and
            how long a translation may be.
        hypothesis: the translation.
        direction: from which language into which.
        ended: whether the model ended the translation itself.
        template: the text of the prompt's template, where it is not the lab's own.
    """
    words = tokens(hypothesis)
    language = off_target_language(source, hypothesis, direction, reference) if words else None
    found = {
        "empty": not words,
        "echo": echoes(source, hypothesis, reference, template),
        "copy": is_copy(source, hypothesis, reference),
        "off-target": language is not None,
        "repetition": repeats(hypothesis, (source, reference or "")),
        "over-long": is_over_long(source, hypothesis, reference),
        "truncated": not ended or (bool(words) and stops_early(source, hypothesis, reference)),
    }
    return Verdict(tuple(name for name in FAILURES if found[name]), language)


__all__ = [
    "FAILURES",
    "Verdict",
    "flag",
    "is_copy",
    "languages",
    "shares",
    "stacked",
]

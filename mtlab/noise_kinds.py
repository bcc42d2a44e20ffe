"""The kinds of noise by name: the one list that the spec, the flags, the form and the code read.

It lies below the spec so that a name is checked the moment it is given. The code of a kind is the
module of the same name in `mtlab.noise` (`wrong-language` in `wrong_language.py`).
"""

from __future__ import annotations

NOISE_KINDS: dict[str, str] = {
    "sentence": "a machine translation of the other side",
    "word": "a word-by-word translation of the other side",
    "grammar": "wrong inflection, agreement, function words and order",
    "semantic": "fluent and wrong: negation, numbers, names, content words",
    "jargon": "terms of another domain in place of content words",
    "typo": "neighbouring keys, swapped, lost and doubled letters",
    "misaligned": "the text of another sentence",
    "wrong-language": "the other side left untranslated, or a third language",
    "truncated": "the rest of the sentence is missing",
}
"""What becomes of a side, in a few words for people, by the kind's name."""

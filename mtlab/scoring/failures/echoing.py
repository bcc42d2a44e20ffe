"""The prompt in the answer: its instruction, its headings, or the marks of a chat template."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from mtlab.languages import LANGUAGES
from mtlab.prompts import CHAT, INSTRUCTIONS, WRAPPING

LEAST_WORDS = 5
"""Of an instruction, the words up to the first language are enough, but at least so many: an echo
may break off."""

_SLOT = re.compile(r"\{(?:source|target)_language\}")
_FILLED = re.compile(r"\{(?:source|instruction)\}")
_LANGUAGE = "(?:" + "|".join(language.name for language in LANGUAGES.values()) + ")"
_CHAT_MARKS = re.compile(
    r"<\|\w+\|>|</?s>|</?(?:start|end)_of_turn>|\[/?INST\]|<</?SYS>>|<(?:bos|eos)>", re.IGNORECASE
)


def echoes(
    source: str, hypothesis: str, reference: str | None = None, template: str | None = None
) -> bool:
    """Whether a hypothesis has words of the prompt that neither source nor reference has.

    Looked for are the lab's instructions (with any language's name), the lines of its template and
    of the run's own that can be told from ordinary text (`### Input:`, `German:`), and the marks
    of chat templates (`<|user|>`).

    Args:
        source: the source segment; what it says itself is no echo.
        hypothesis: the translation.
        reference: its reference, if there is one.
        template: the text of the prompt's template, where it is not the lab's own.
    """
    for pattern in _patterns(template or WRAPPING):
        found = pattern.search(hypothesis)
        if found and not any(pattern.search(text) for text in (source, reference) if text):
            return True
    return False


@lru_cache(maxsize=32)
def _patterns(template: str) -> tuple[re.Pattern[str], ...]:
    lines = dict.fromkeys(WRAPPING.splitlines())
    if template != CHAT:
        lines |= dict.fromkeys(template.splitlines())
    telling = [found for line in lines for found in _line(line)]
    return _any(map(_instruction, INSTRUCTIONS)), _any(telling), _CHAT_MARKS


def _any(patterns: Sequence[str] | map[str]) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE)


def _instruction(text: str) -> str:
    """The beginning of an instruction, with any language in its slots."""
    words = text.split()
    slot = next(place for place, word in enumerate(words, 1) if _SLOT.search(word))
    return r"\b" + _flexible(" ".join(words[: max(slot, LEAST_WORDS)]).rstrip(".?"))


def _line(line: str) -> list[str]:
    """The parts of a template's line, around what is filled in, that no ordinary text has."""
    parts = [part.strip() for part in _FILLED.split(line)]
    return [_flexible(part) for part in parts if _telling(part)]


def _telling(part: str) -> bool:
    words = re.findall(r"\w+", _SLOT.sub(" ", part))
    if re.search(r"[#<>\[\]|]", part):
        return bool(words)
    return len(words) >= LEAST_WORDS or bool(_SLOT.search(part) and ":" in part)


def _flexible(text: str) -> str:
    """A pattern for a text with its spaces of any width and any language in its slots."""
    pieces = [re.escape(piece).replace(r"\ ", r"\s+") for piece in _SLOT.split(text)]
    return _LANGUAGE.join(pieces)

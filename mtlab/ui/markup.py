"""Text of corpora and models as HTML that shows it and never runs it."""

from __future__ import annotations

import difflib
import html
from collections.abc import Iterable, Sequence

from mtlab.languages import LANGUAGES

# Gradio fills HTML through a template language, so its marks are escaped with HTML's own.
_TEMPLATE_MARKS = str.maketrans({"{": "&#123;", "}": "&#125;", "$": "&#36;", "`": "&#96;"})

_ENOUGH_IN_COMMON = 0.25  # share of a hypothesis's words that its reference has too

# What each failure badge means, shown when one points at it.
FAILURE_MEANINGS = {
    "empty": "nothing was written",
    "echo": "the instruction or the prompt's headings in the answer",
    "copy": "the source, hardly changed",
    "off-target": "not in the language that was asked for",
    "repetition": "the same words over and over",
    "over-long": "far longer than the source and the reference",
    "truncated": "cut off at the length limit, or ended in mid-sentence",
}


def escape(text: str) -> str:
    """Text as HTML: markup and template marks in it lose their meaning."""
    return html.escape(text, quote=True).translate(_TEMPLATE_MARKS)


def text_block(text: str, *, css_class: str = "") -> str:
    """Text in a block of its own, laid out in its own writing direction."""
    return f'<div dir="auto" class="{css_class}">{escape(text)}</div>'


def marked_words(words: Iterable[tuple[str, bool]]) -> str:
    """Words with the changed ones marked."""
    return " ".join(
        f"<mark>{escape(word)}</mark>" if changed else escape(word) for word, changed in words
    )


def difference(hypothesis: str, reference: str) -> str:
    """The hypothesis with the words marked that the reference does not have in that place.

    A hypothesis with little in common with the reference is left unmarked: marks all over say
    nothing.
    """
    words = hypothesis.split()
    matcher = difflib.SequenceMatcher(a=reference.split(), b=words, autojunk=False)
    same = {
        index
        for block in matcher.get_matching_blocks()
        for index in range(block.b, block.b + block.size)
    }
    if len(same) < _ENOUGH_IN_COMMON * len(words):
        same = set(range(len(words)))
    return marked_words((word, index not in same) for index, word in enumerate(words))


def badges(failures: Sequence[str], language: str | None = None) -> str:
    """Failures as small labels, each with its meaning; `language` is the wrong one, if known."""
    said = {"off-target": f"off-target: {language_name(language)}"} if language else {}
    return "".join(
        f'<span class="badge" title="{escape(FAILURE_MEANINGS.get(name, name))}">'
        f"{escape(said.get(name, name))}</span>"
        for name in failures
    )


def language_name(code: str) -> str:
    """The English name of a language of the lab; "another language" for any other code."""
    return LANGUAGES[code].name if code in LANGUAGES else "another language"


def table(
    headers: Sequence[str], rows: Iterable[Sequence[str]], *, caption: str, css_class: str = ""
) -> str:
    """A table; `headers` are text, cells are HTML already."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in headers)
    body = "".join(
        "<tr>"
        + "".join(
            f'<td data-label="{escape(name)}">{cell}</td>'
            for name, cell in zip(headers, row, strict=True)
        )
        + "</tr>"
        for row in rows
    )
    return (
        f'<div class="scroll"><table class="lab-table {css_class}">'
        f"<caption><span>{escape(caption)}</span></caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def notice(text: str, *, css_class: str = "") -> str:
    """One sentence in a quiet box."""
    return f'<p class="notice {css_class}">{escape(text)}</p>'

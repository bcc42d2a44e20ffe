"""Live answers as cards, and the votes on them as a table."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mtlab.results.showing import Answer, Showing
from mtlab.results.sign_test import p_words
from mtlab.results.votes import LETTERS, Pair
from mtlab.ui.markup import badges, difference, escape, language_name, notice, table, text_block

Words = Callable[[Showing, Answer], str]
"""The text of an answer as HTML."""

_NOTHING = "(nothing)"


def cards(showing: Showing, words: Words) -> str:
    """A card for each system.

    Args:
        showing: what is shown.
        words: `plain` or `marked`.
    """
    busy = "false" if showing.is_over else "true"
    each = "".join(
        _card(showing, letter, answer, words)
        for letter, answer in zip(LETTERS, showing.answers, strict=False)
    )
    below = [*_signatures(showing), *([_about_marks(showing)] if words is marked else [])]
    return f'<div class="cards" aria-live="polite" aria-busy="{busy}">{each}</div>' + "".join(
        quiet_line(line) for line in below
    )


def plain(showing: Showing, answer: Answer) -> str:
    """The words as they are."""
    return text_block(answer.text or _NOTHING, css_class="answer")


def marked(showing: Showing, answer: Answer) -> str:
    """The words, with those marked that the reference, or else another answer, has not there."""
    other = showing.reference or _other(showing, answer)
    if other is None or answer.stage != "done":
        return plain(showing, answer)
    return f'<div dir="auto" class="answer">{difference(answer.text or _NOTHING, other)}</div>'


def _other(showing: Showing, answer: Answer) -> str | None:
    """The first answer; the second, to compare the first with."""
    done = [one for one in showing.answers if one.stage == "done"]
    others = [one.text for one in done[:2] if one is not answer]
    return others[0] if others else None


def _about_marks(showing: Showing) -> str:
    if showing.reference:
        return "Marked: words that the reference does not have in that place."
    if len(showing.answers) < 2:
        return "Word differences need a second system, or a reference."
    return (
        "Marked: words that the first answer does not have in that place; in the first, that the "
        "second does not have. Answers with little in common are left unmarked."
    )


def _signatures(showing: Showing) -> list[str]:
    if showing.hides_names:
        return []
    found = {one.remarks.signature for one in showing.answers if one.remarks}
    return [f"sentence chrF: {signature}" for signature in sorted(filter(None, found))]


def _card(showing: Showing, letter: str, answer: Answer, words: Words) -> str:
    name = answer.name
    if showing.hides_names:
        name = letter
    elif showing.blind:
        name = f"{letter}: {name}"
    chosen = ' <span class="chip chosen">your choice</span>' if showing.choice == letter else ""
    if answer.stage in ("waiting", "loading"):
        body = '<div class="answer quiet">…</div>'
    elif answer.stage == "failed":
        problem = "gave no answer" if showing.hides_names else answer.problem
        body = (plain(showing, answer) if answer.text else "") + notice(
            problem, css_class="problem"
        )
    else:
        body = words(showing, answer) if answer.text or answer.stage == "done" else ""
    facts = "" if showing.hides_names else _facts(answer)
    return (
        f'<section class="card {answer.stage}" aria-label="{escape(name)}"><h4>{escape(name)}'
        f'{chosen}</h4><p class="stage">{_stage(showing, answer)}</p>{body}{facts}</section>'
    )


def _stage(showing: Showing, answer: Answer) -> str:
    if answer.stage == "failed":
        return "no answer"
    if answer.stage != "done" or showing.hides_names:
        return answer.stage  # how long a system takes may tell which it is
    speed = f", {answer.tokens / answer.seconds:.0f} tokens/s" if answer.seconds > 0 else ""
    return f"done in {answer.seconds:.1f} s{speed}"


def _facts(answer: Answer) -> str:
    found = answer.remarks
    if found is None:
        return ""
    chips = [badges(found.failures, found.wrong_language)]
    if found.language is not None and found.wrong_language is None:
        chips.append(_chip(language_name(found.language), "the language found"))
    elif found.language is None:
        chips.append(_chip("language not told", "too short, or too close to another language"))
    if found.length_ratio is not None:
        chips.append(
            _chip(f"length {found.length_ratio:.2f} × source", "in letters, fair to every script")
        )
    if found.chrf is not None:
        chips.append(_chip(f"chrF {found.chrf:.1f}", "sentence chrF against the reference"))
    return f'<p class="facts">{"".join(chips)}</p>'


def quiet_line(text: str) -> str:
    """A line in small print."""
    return f'<p class="signature">{escape(text)}</p>'


def _chip(text: str, title: str) -> str:
    return f'<span class="chip" title="{escape(title)}">{escape(text)}</span>'


def votes_html(pairs: Sequence[Pair], votes: int) -> str:
    """The votes, summed by pair of systems.

    Args:
        pairs: of `mtlab.results.votes.summed`.
        votes: how many votes that are.
    """
    if not pairs:
        return notice(
            "No votes yet. Choose two systems or more, tick Blind, translate, and vote for the "
            "answer that you find best."
        )
    rows = []
    for pair in pairs:
        test = pair.test
        share = (
            "none decided"
            if test.share is None
            else f'{test.share:.0%}<br><span class="quiet">{test.low:.0%} to {test.high:.0%}</span>'
        )
        counts = (pair.wins, pair.losses, pair.ties, pair.bad)
        rows.append((*map(escape, pair.names), *map(str, counts), share, p_words(test.p_value)))
    headers = (
        "System", "Against", "Wins", "Losses", "Ties", "All bad", "Share won", "Sign test",
    )  # fmt: skip
    grid = table(
        headers,
        rows,
        css_class="numbers",
        caption="Wins, losses and ties of each two systems that were shown together. Share won: "
        "of the votes that were decided, with its exact 95% interval. The sign test is two-sided "
        "and exact, and not corrected for the number of pairs",
    )
    count = f"{votes} vote{'s' * (votes != 1)}, kept in votes.jsonl in the lab's home."
    return f'<p class="votes-said">{escape(pairs[0].sentence())}</p>{grid}{quiet_line(count)}'

"""The outlook as HTML: what is wrong, whether it fits, how long it takes, the pairs as trained."""

from __future__ import annotations

from mtlab import noise
from mtlab.errors import MtlabError
from mtlab.forecasting import in_words
from mtlab.lab import Preview
from mtlab.ui.launch.fields import LABELS
from mtlab.ui.launch.outlook import Outlook
from mtlab.ui.markup import escape, marked_words, notice, table, text_block

_MARKS = {True: ("fits", "✓"), False: ("too-large", "✗"), None: ("unknown", "?")}


def problems_html(outlook: Outlook) -> str:
    """All that is wrong, a sentence each, with the field as the form calls it."""
    said = (
        f"{LABELS[name]}: {MtlabError.sentence(error)}" if name in LABELS else str(error)
        for name, error in outlook.problems.items()
    )
    return "".join(notice(sentence, css_class="problem") for sentence in said)


def facts_html(outlook: Outlook) -> str:
    """Whether it fits and how long it takes here."""
    preview = outlook.preview
    if preview is None:
        return ""
    css_class, mark = _MARKS[preview.memory.fits]
    facts = [
        f'<li class="{css_class}"><b aria-hidden="true">{mark}</b> '
        f"{escape(preview.memory.sentence)}</li>",
        f'<li class="time"><b aria-hidden="true">◷</b> {escape(_time(outlook, preview))}</li>',
    ]
    left_out = sum(preview.removed.values())
    if left_out:
        pairs = "1 pair is" if left_out == 1 else f"{left_out:,} pairs are"
        facts.append(f"<li>{pairs} left out, being part of the test set.</li>")
    return f'<ul class="facts">{"".join(facts)}</ul>'


def pairs_html(outlook: Outlook) -> str:
    """Real training pairs with what noise changed marked, their counts, and the prompt."""
    preview = outlook.preview
    if preview is None:
        return ""
    rows = [
        (
            escape(str(example.pair.noisy.direction)),
            _side(example.pair, "source"),
            _side(example.pair, "target"),
        )
        for example in preview.examples
    ]
    if not rows:
        return notice("Nothing is trained.")
    counts = ", ".join(f"{count} {direction}" for direction, count in preview.counts.items())
    trained = preview.spec.training.trains
    if trained:
        caption = f"{len(rows)} of {preview.spec.size} training pairs: {counts}"
        reads = "The first one as the model reads it"
    else:
        caption = f"Examples the model is shown: {counts}"
        reads = "The first test sentence as the model reads it"
    first = preview.examples[0]
    answer = f"<b>{escape(first.pair.noisy.target)}</b>" if trained else ""
    return (
        table(("Direction", "Source", "Target"), rows, caption=caption)
        + f'<p class="label">{reads}</p>'
        + f'<pre class="prompt">{escape(first.prompt)}{answer}</pre>'
    )


def _time(outlook: Outlook, preview: Preview) -> str:
    runs = len(outlook.seeds)
    if runs < 2:
        return preview.forecast
    if preview.seconds is None:
        return f"{runs} runs. {preview.forecast}"
    return f"{runs} runs, about {in_words(runs * preview.seconds)} on this machine."


def _side(pair: noise.NoisyPair, side: noise.Side) -> str:
    clean, noisy = getattr(pair.clean, side), getattr(pair.noisy, side)
    if side not in pair.touched:
        return text_block(noisy)
    words = noise.diff(clean, noisy)
    gone = "" if any(new for _, new in words) else ' <span class="quiet">(words left out)</span>'
    return f'<div dir="auto">{marked_words(words)}{gone}</div>'

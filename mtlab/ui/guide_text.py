"""What the Guide tab says. The paper's numbers come from `assets/paper`, where their source is."""

from __future__ import annotations

from collections.abc import Sequence

from mtlab.experiments import PRESETS
from mtlab.results.figures import paper_transfer_plot
from mtlab.results.published import SOURCE, published
from mtlab.scoring.failures.verdicts import FAILURES
from mtlab.ui.markup import FAILURE_MEANINGS, badges, escape, table

PAPER = "https://arxiv.org/abs/2404.14122"

BIBTEX = """\
@inproceedings{zhu-etal-2024-fine,
  title     = {Fine-Tuning Large Language Models to Translate: Will a Touch of Noisy Data in
               Misaligned Languages Suffice?},
  author    = {Zhu, Dawei and Chen, Pinzhen and Zhang, Miaoran and Haddow, Barry and Shen, Xiaoyu
               and Klakow, Dietrich},
  booktitle = {Proceedings of EMNLP},
  year      = {2024},
}
"""
"""As in the README."""

CONTENTS = (
    ("start", "Start here"),
    ("paper", "The paper"),
    ("plots", "Reading the plots"),
    ("badges", "Failure badges"),
    ("sure", "How sure is a difference?"),
    ("limits", "Limits"),
    ("twins", "Without the browser"),
    ("cite", "How to cite"),
)
"""The sections: anchor and title."""

COMMANDS = (
    ("Launch", "mtlab run --base nano --size 32 --train de-en --train en-de",
     'run = lab.launch(RunSpec(base="nano", size=32, train=["de-en", "en-de"]))'),
    ("Launch as a sweep", "mtlab sweep paper/size --seeds 3",
     'lab.sweep(preset("paper/size", Choices(), lab.settings)).run()'),
    ("Noise preview", "mtlab noise --kind word --side target --direction de-en",
     'lab.noise(RunSpec(train=["de-en"], noise={"kind": "word"}))'),
    ("Runs", "mtlab runs list", "lab.runs()"),
    ("Results", "mtlab report --group paper/size -o size.html",
     'lab.report(groups=["paper/size"]).html()'),
    ("Compare", "mtlab score --direction de-en --src s.txt --ref r.txt --hyp a.txt --hyp b.txt",
     'run.translations("de-en")'),
    ("Translate", "mtlab translate --model latest --direction de-en",
     'run.translate(["Wo ist das Brot?"], "de-en")'),
)  # fmt: skip
"""What the page does, on the command line and in Python (`lab = Lab()`)."""

_PLOTS = (
    ("Quality against size",
     "One line per condition. The pairs double from mark to mark, so a straight line is a law of "
     "diminishing returns.",
     "Where does a line go flat? That is how little data is enough. Bars are the spread over "
     "seeds; with one seed they are intervals over test sentences and say nothing of other seeds."),
    ("Trained on, tested on",
     "Rows: what was trained. Columns: what was tested. As scores, as a percentage of the model "
     "trained on all directions, or as the share that came out in another language.",
     "A dark half right of a row that trained only into English: the model took the task for "
     "“write English”."),
    ("Noise, by kind and side",
     "Grey is clean training; a colour is a kind of noise, a pattern its side.",
     "Compare within a group of bars, not across: groups differ in language and size."),
    ("Stacked failures",
     "The share of segments that failed, each counted once, under the failure that tells most.",
     "A good score with a long bar is a warning: look at the segments in Compare."),
)  # fmt: skip

_HOW_FOUND = {
    "empty": "no letter and no digit",
    "echo": "words of the instruction or of the prompt's template",
    "copy": "nearly the source's own words",
    "off-target": "a language identifier, silent on a word or two and on names",
    "repetition": "a loop that neither source nor reference has",
    "over-long": "more than 1.75 times the reference and 1.2 times the source",
    "truncated": "the token limit, or no end where source and reference have one",
}


def start_html() -> str:
    """The first hour, and the ready-made sweeps."""
    steps = (
        "<b>Launch</b> one run as the form has it: the bundled nano model, 32 sentence pairs. It "
        "takes about a minute on two CPU cores and needs no GPU and no network.",
        "Watch it in <b>Runs</b>: the loss falls, the sample translations turn into German and "
        "English, and the scores stand beside those of the untuned model.",
        "Read what it writes in <b>Compare</b>, and ask it something in <b>Translate</b>. Scores "
        "first, then always segments.",
        "Launch a sweep, such as <code>paper/size</code>, and read what it shows in "
        "<b>Results</b>: findings in sentences, plots, tables, files for your paper.",
    )
    sweeps = table(
        ("Sweep", "Title", "Made to show"),
        [
            (f"<code>{escape(name)}</code>", escape(one.title), escape(one.shows))
            for name, one in PRESETS.items()
        ],
        caption="The ready-made sweeps",
    )
    listed = "".join(f"<li>{step}</li>" for step in steps)
    return f"<ol>{listed}</ol><details><summary>The ready-made sweeps</summary>{sweeps}</details>"


def paper_html() -> str:
    """What the paper did and found, each finding with where it stands in this lab."""
    curve = published("size")
    assert curve is not None
    sizes = ", ".join(f"{float(score):.2f} with {int(size):,}" for size, score in curve.rows)
    cards = (
        ("What they did",
         "Fine-tuned Llama-2 7B to translate with a plain instruction before each source sentence, "
         "on 16 up to 74,623 pairs of old WMT test sets (2017 to 2020), and tested eleven "
         "directions of WMT22 with COMET and BLEU.", "Launch: base llama-2-7b, corpus wmt"),
        ("1. Very little data is enough",
         f"COMET × 100, the mean of eleven directions: {sizes} pairs (reported second-hand). 32 "
         "pairs already match instruction-tuned models of that size.", "sweep paper/size"),
        ("2. One direction teaches the others",
         f"{paper_transfer_plot().summary} Those runs misread the task as writing English.",
         "sweep paper/direction"),
        ("3. Noise hurts on the target side",
         "Machine-made text as the target costs more than as the source, and most in a language "
         "that the model has seen much of: into German sharply, into Hausa less. The paper "
         "prints plots of this, no numbers.", "sweep paper/noise"),
    )  # fmt: skip
    made = "".join(
        f'<div class="card"><h4>{escape(title)}</h4><p>{escape(text)}</p>'
        f'<p class="quiet">Here: {escape(here)}</p></div>'
        for title, text, here in cards
    )
    return (
        f'<p>This lab is built around <a href="{PAPER}" target="_blank" rel="noopener">Zhu et al., '
        "“Fine-Tuning Large Language Models to Translate”, EMNLP 2024</a>. Their reading: a base "
        "model can translate already; fine-tuning teaches it <em>what is asked</em>, and goes "
        "wrong where the few examples suggest something other than translation.</p>"
        f'<div class="cards">{made}</div><p class="quiet">{escape(SOURCE)}</p>'
    )


def plots_html() -> str:
    """How to read each plot of the Results tab."""
    rows = [tuple(map(escape, row)) for row in _PLOTS]
    return _cards_on_small(("Plot", "What it shows", "What to look for"), rows, "The plots")


def badges_html() -> str:
    """Each failure badge, what it means and how it is found."""
    rows = [
        (badges([name]), escape(FAILURE_MEANINGS[name]), escape(_HOW_FOUND[name]))
        for name in FAILURES
    ]
    listed = _cards_on_small(("Badge", "Meaning", "How it is found"), rows, "Failures of a segment")
    return (
        f"{listed}<p>A segment may have several; a bar counts it once, under the first of this "
        "list. On a quarter of a million true translations the worst of them, truncated, is given "
        "wrongly to 0.4% in the worst test set (docs/failures.md). <b>Gated</b> COMET counts a "
        "segment with any badge as zero, because COMET gives a copy of the source about 0.66; "
        "BLEU and chrF are taken as they fall.</p>"
    )


def sure_html() -> str:
    """Intervals, p-values and seeds, in a minute."""
    points = (
        "A <b>95% interval</b> is made by drawing test segments with replacement ten thousand "
        "times (the bootstrap), and seeds with them where there are several. Both sides of a "
        "comparison get the same draws.",
        "A difference is called one only when its <b>corrected p-value</b> is under 0.05 "
        "<em>and</em> the interval leaves zero out. Corrected, because among hundreds of "
        "comparisons some look different by chance (Holm's method).",
        "<b>No difference found</b> does not mean that there is none: the interval says how large "
        "one may still be.",
        "<b>Seeds</b> are what a claim about training rests on. Two conditions of equal quality "
        "are called different in 53% of cases with one seed, 8% with three, 5% with five "
        "(docs/claims.md). So: three seeds to look, five to claim.",
        "<b>What off-target output explains</b>: the difference is computed again on the segments "
        "that are in the right language on both sides; what goes missing is its share.",
        "Every number carries the <b>signature</b> that reproduces it: metric, version, "
        "tokenizer, resamples and seed.",
    )
    return f"<ul>{''.join(f'<li>{point}</li>' for point in points)}</ul>"


def limits_html() -> str:
    """What must not be read into this lab's numbers."""
    points = (
        "nano has 6.7 million parameters and knows everyday sentences. It shows effects; it does "
        "not translate well, and does not show the paper's third effect at its defaults.",
        "The paper used Llama-2 7B on news. Compare shapes with it, not heights, unless the base, "
        "the test sets and the metric are the same.",
        "One run is one seed: a look, not a claim.",
        "COMET needs its checkpoint from the model hub once. Until then it is “not available”, and "
        "nothing stands in for it.",
        "Few-shot numbers of nano say little about larger bases: five examples already exceed the "
        "texts it was made on.",
        "The everyday sentences were written and proofread by a language model; no native speaker "
        "has checked them.",
        "Recipes for models of the hub come from the literature, not from measurements made here.",
    )
    return f"<ul>{''.join(f'<li>{escape(point)}</li>' for point in points)}</ul>"


def twins_html() -> str:
    """The page's verbs on the command line and in Python, and the HTTP interface in a sentence."""
    rows = [
        (escape(what), f"<code>{escape(shell)}</code>", f"<code>{escape(python)}</code>")
        for what, shell, python in COMMANDS
    ]
    return (
        "<p>The browser, the command line and Python are three doors to the same runs: what one "
        "starts, the others see. In Python, <code>lab = Lab()</code>; <code>preset</code> and "
        "<code>Choices</code> come from <code>mtlab.experiments</code>.</p>"
        + _cards_on_small(("On this page", "Command line", "Python"), rows, "The same verbs")
        + "<p>Over HTTP, <code>gradio_client</code> calls the same lab by the named endpoints "
        "<code>launch</code>, <code>status</code>, <code>results</code>, <code>translate</code> "
        "and <code>score</code>; everything else that the page calls is private.</p>"
    )


def contents_html() -> str:
    """Links to the sections."""
    links = "".join(f'<a href="#guide-{name}">{escape(title)}</a>' for name, title in CONTENTS)
    return f'<nav class="guide-contents" aria-label="Sections of the guide">{links}</nav>'


def heading_html(name: str) -> str:
    """A section's heading, with the anchor that `contents_html` links to."""
    return f'<h2 id="guide-{name}">{escape(dict(CONTENTS)[name])}</h2>'


def _cards_on_small(headers: Sequence[str], rows: Sequence[Sequence[str]], caption: str) -> str:
    return table(headers, rows, caption=caption, css_class="segments guide-table")

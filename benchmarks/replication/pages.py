"""The pages of docs/replication, in Markdown: one for each preset, and one that leads to them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchmarks.replication.markdown import bullets, folded, frame_table, table
from benchmarks.replication.replica import Replica
from benchmarks.replication.svg import svg_of
from benchmarks.replication.verdicts import OUTCOMES, Tally
from mtlab.results.exports import score_grid, share_grid
from mtlab.results.findings import Finding
from mtlab.results.labels import METRICS
from mtlab.results.published import SOURCE, Published, published
from mtlab.results.topics import Section, sections

KINDS = {
    "paper/size": ("base", "size"),
    "paper/direction": ("direction",),
    "paper/noise": ("noise",),
    "paper/unseen": ("base", "size", "direction"),
}
"""The findings that a page is about; the others are folded."""

FIGURES = {"paper/size": "size", "paper/noise": "noise"}
"""What is drawn; what the other presets show is in their tables."""

SHARES = ("paper/direction", "paper/unseen")
"""Pages with a table of the share of off-target output."""

MOST_OPEN = 4
"""Sentences that found nothing are folded from more than so many on."""


def page(one: Replica, *, has_figure: bool) -> str:
    """A preset's page."""
    report = one.report
    name = METRICS[report.metric]
    parts = [
        f"# {one.preset.title} (`{one.preset.name}`)",
        f"Asked: {one.preset.shows}. Written by `python -m benchmarks.replication` from the files "
        "of the runs; [all four experiments](README.md).",
        _facts(one),
        "## What Llama-2 showed, and nano".replace("nano", one.base),
        *_verdicts(one.tallies, one.base),
        _how_to_read(one),
        f"## {name}",
        _over_seeds(one),
        frame_table(score_grid(report.means, report.metric), "trained on"),
    ]
    if has_figure:
        plot = next(plot for plot in report.plots if plot.name == FIGURES[one.preset.name])
        parts.append(f"![{plot.title}: {plot.summary}]({one.file}.svg)")
    if one.preset.name in SHARES:
        parts += [
            "## Share of output in another language than asked for",
            frame_table(share_grid(report.means, "off-target"), "trained on"),
        ]
    parts += [*_beside_the_paper(one), "## Findings", *_findings(one)]
    parts.append(
        f"Every run with its scores: [{one.file}.csv]({one.file}.csv). The whole report, with its "
        f"plots: `mtlab report --group {one.preset.name} -o {one.file}.html`."
    )
    return "\n\n".join(parts) + "\n"


def index(made: Sequence[Replica]) -> str:
    """The page that leads to the others."""
    base = made[0].base
    rows = [
        [f"[{one.preset.title}]({one.file}.md)", f"`{one.command}`", one.preset.shows,
         str(len(one.report.records)), one.hours]
        for one in made
    ]  # fmt: skip
    found = [tally for one in made for tally in one.tallies]
    parts = [
        "# The paper's experiments, made again in miniature",
        f"Zhu et al. (EMNLP 2024) fine-tuned Llama-2 7B on news text. These are the same "
        f"experiments on {base} with the bundled everyday sentences, as the lab made, scored and "
        "worded them: `python -m benchmarks.replication` wrote these pages, and no sentence about "
        "a result was written by hand.",
        table(["experiment", "command", "asked", "runs", "time of the runs"], rows, 3),
        *_not_made(made),
        f"## Where {base} does and does not show what Llama-2 showed",
    ]
    published_ones = [tally for tally in found if tally.claim.published]
    for outcome, heading in OUTCOMES.items():
        own = [tally for tally in published_ones if tally.outcome == outcome]
        if own:
            parts += [f"### {heading.format(base=base)}", *_verdicts(own, base)]
    parts += _verdicts([tally for tally in found if not tally.claim.published], base)
    parts.append(_how_to_read(made[0]))
    return "\n\n".join(parts) + "\n"


def csv_of(one: Replica) -> str:
    """A row per run and direction; the untuned base's once per direction."""
    frame = one.report.frame
    own = ["id", "seed", "size", "train", "noise", "side", "ratio"]
    untuned = frame["system"] == "base"
    frame = frame.assign(**{name: frame[name].where(~untuned, "") for name in own})
    keys = ["base", *own, "system", "direction", "n"]
    frame = frame.assign(off_target=frame["off_target"].round(4)).drop_duplicates([*keys, "metric"])
    wide = frame.pivot(index=[*keys, "off_target"], columns="metric", values="value")
    text: str = wide.round(4).reset_index().sort_values(["system", "id"]).to_csv(index=False)
    return text


def figure_of(one: Replica) -> str | None:
    """The page's figure as SVG, where it has one."""
    wanted = FIGURES.get(one.preset.name)
    plot = next((plot for plot in one.report.plots if plot.name == wanted), None)
    return None if plot is None else svg_of(plot.figure, plot.summary)


def _facts(one: Replica) -> str:
    """What was run, where and when."""
    report = one.report
    n = sorted(set(report.frame["n"]))
    segments = str(n[0]) if len(n) == 1 else f"{n[0]} to {n[-1]}"
    several = len(one.seeds) > 1
    left_out = [f"; seed {seed} is not whole ({d} of {t} runs)" for seed, d, t in one.missing]
    seeds = f"{'seeds' if several else 'seed'} {', '.join(map(str, one.seeds))}"
    rows = [
        ["command", f"`{one.command}`"],
        ["runs", f"{len(report.records)}, all finished; {seeds}{''.join(left_out)}"],
        ["base", one.bases],
        ["data", f"{report.records[0].spec.corpus}, {segments} test segments a direction"],
        ["machine", one.machines],
        ["made", f"{one.days}; the runs took {one.hours} one after another"],
        ["with", one.versions],
        [METRICS[report.metric], "; ".join(f"`{text}`" for text in report.signatures)],
    ]
    if report.findings:
        over = "segments and seeds" if several else "segments alone"
        count = report.findings[0].comparison.compared
        text = f"{count}, corrected together (Holm); 95% bootstrap intervals over {over}"
        rows.append(["comparisons", text])
    return table(["", ""], rows, 2)


def _over_seeds(one: Replica) -> str:
    text = "One seed: a look, not a claim."
    if len(one.seeds) > 1:
        text = f"Mean over {len(one.seeds)} seeds, in brackets the smallest and the largest."
    untuned = (one.report.means["system"] == "base").any()
    return f"{text} The first row is the model before any fine-tuning." if untuned else text


def _verdicts(found: Sequence[Tally], base: str) -> Iterator[str]:
    """Each claim, how its comparisons came out, and their numbers beside the paper's."""
    for head, own in (
        ("what Llama-2 showed", [one for one in found if one.claim.published]),
        ("asked as well; no figures of Llama-2 are at hand", [
            one for one in found if not one.claim.published
        ]),
    ):  # fmt: skip
        if not own:
            continue
        rows = [[one.says, one.claim.theirs(one.about) or "-", one.numbers, one.verdict]
                for one in own]  # fmt: skip
        yield table([head, "Llama-2", base, "verdict"], rows, 4)


def _how_to_read(one: Replica) -> str:
    name = METRICS[one.report.metric]
    text = (
        "A comparison counts as a difference when its p-value, corrected for all comparisons of "
        "its page, is under 0.05 and its 95% interval leaves zero out ([how](../claims.md)). "
        '"No difference found" does not mean that there is none. '
    )
    if one.report.metric == "comet":
        return text
    return text + (
        f"The paper scores with COMET, these pages with {name}: directions of change may be held "
        "against each other, the sizes of shares with care, since COMET still gives broken output "
        "much of a good one's score."
    )


def _beside_the_paper(one: Replica) -> Iterator[str]:
    """The paper's published numbers, and ours of the same kind."""
    name = METRICS[one.report.metric]
    if one.preset.name == "paper/size":
        yield "## Beside the paper"
        rows = [
            [f"{one.system(finding).size:,}", _share(finding, "ratio"),
             f"{_share(finding, 'ratio_low')} to {_share(finding, 'ratio_high')}"]
            for finding in one.report.findings
            if finding.topic == "kept" and "ratio" in finding.more
        ]  # fmt: skip
        if rows:
            yield f"Of {one.base}, what a size keeps of the {name} that the largest gives:"
            yield table(["training pairs", f"{name} kept", "95% interval"], rows)
        yield from _paper_table(published("size"))
    elif one.preset.name == "paper/direction":
        yield "## Beside the paper"
        yield (
            f"Of {one.base}, per cent of the {name} of the model trained on all directions. Rows: "
            "trained on; columns: tested on; in bold what was trained itself."
        )
        yield _percentages(one)
        yield from _paper_table(published("transfer"))


def _share(finding: Finding, which: str) -> str:
    return f"{finding.more[which]:.1%}"


def _percentages(one: Replica) -> str:
    """A row per single direction: its score as a share of that of all directions."""
    cells: dict[str, dict[str, str]] = {}
    for finding in one.report.findings:
        comparison = finding.comparison
        if finding.topic != "fewer" or comparison.baseline_value <= 0:
            continue
        trained = " ".join(map(str, one.system(finding).train))
        tested = str(finding.directions[0])
        share = f"{100 * comparison.system_value / comparison.baseline_value:.1f}"
        cells.setdefault(trained, {})[tested] = f"**{share}**" if trained == tested else share
    columns = list(dict.fromkeys(tested for row in cells.values() for tested in row))
    rows = [[name, *(row.get(column, "") for column in columns)] for name, row in cells.items()]
    return table(["trained on", *columns], rows)


def _paper_table(found: Published | None) -> Iterator[str]:
    if found is not None:
        yield f"{found.title}. {found.note} {SOURCE}."
        yield table(found.header, found.rows)


def _findings(one: Replica) -> Iterator[str]:
    """The page's own kinds in sections; the rest folded."""
    kinds = KINDS[one.preset.name]
    own = [finding for finding in one.report.findings if finding.kind in kinds]
    for section in sections(own):
        yield f"### {section.heading}"
        yield from _listed(section)
    others = [finding.sentence for finding in one.report.findings if finding.kind not in kinds]
    if others:
        yield "### Beside the question"
        yield from folded(f"{len(others)} other findings on these runs", others)
    if not one.report.findings:
        yield "No two of these runs differ in one thing alone, so nothing is compared."


def _listed(section: Section) -> Iterator[str]:
    """What tells something as it is; what found nothing folded, where that is much."""
    telling, nothing = (
        [one.sentence for one in part] for part in (section.telling, section.nothing)
    )
    if len(nothing) <= MOST_OPEN:
        yield bullets([*telling, *nothing])
        return
    if telling:
        yield bullets(telling)
    yield from folded(f"{len(nothing)} in which no difference was found", nothing)


def _not_made(made: Sequence[Replica]) -> Iterator[str]:
    names = [f"`{name}`" for name in KINDS if name not in {one.preset.name for one in made}]
    if names:
        yield f"Not run yet: {', '.join(names)}."

"""How often a failure is found where there is none, and missed where one was planted.

    SACREBLEU=FOLDER python -m benchmarks.failures > docs/failures.md

True translations: every reference of the WMT sets the lab reads, every source (as a translation in
the opposite direction), and the bundled everyday sentences in all twelve directions. They are
judged without their reference beside them, which would excuse all of them. Planted failures
(`benchmarks.planting`) are judged with the reference, as a run's translations are, and once more
without it.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.planting import PLANTS, Planted, Segment
from mtlab.corpora.everyday import open_everyday
from mtlab.corpora.wmt import WmtCorpus
from mtlab.errors import MtlabError
from mtlab.scoring.failures import FAILURES, Verdict, flag
from mtlab.spec import Direction

PLANTED_IN = 400
SEED = 11


@dataclass
class Tally:
    """Segments looked at, and how many were flagged, by kind."""

    n: Counter[str] = field(default_factory=Counter)
    flagged: Counter[str] = field(default_factory=Counter)
    missed: list[tuple[str, Planted, Verdict]] = field(default_factory=list)

    def share(self, kind: str) -> float:
        """The share flagged, 0 to 1."""
        return self.flagged[kind] / max(1, self.n[kind])


@dataclass
class Measured:
    """What was measured of one set of sentences.

    Attributes:
        name: of the set.
        references: false flags on true references, by direction.
        sources: false flags on true sources, by the direction they were judged in.
        planted: planted failures found, the reference known.
        blind: the same, the reference not known.
        named: off-target ones found whose language was named rightly.
    """

    name: str
    references: dict[str, Tally]
    sources: dict[str, Tally]
    planted: Tally
    blind: Tally
    named: float


def measure(
    name: str, segments: dict[Direction, list[Segment]], sample: int | None = None
) -> Measured:
    """Measure one set; `sample` segments of each direction, all if not given."""
    draw = random.Random(SEED)
    texts: dict[str, list[str]] = defaultdict(list)
    references: dict[str, Tally] = {}
    sources: dict[str, Tally] = {}
    chosen: list[Segment] = []
    for way, rows in segments.items():
        rows = rows if sample is None or len(rows) <= sample else draw.sample(rows, sample)
        texts[way.target] += [row.reference for row in rows]
        texts[way.source] += [row.source for row in rows]
        back = Direction(source=way.target, target=way.source)
        references[str(way)] = _false_flags((r.source, r.reference) for r in rows)(way)
        sources[str(back)] = _false_flags((r.reference, r.source) for r in rows)(back)
        chosen += rows if len(rows) <= PLANTED_IN else draw.sample(rows, PLANTED_IN)
    planted, blind, named = Tally(), Tally(), Counter[bool]()
    for kind, plant in PLANTS.items():
        for segment in chosen:
            for one in plant(segment, texts, draw):
                verdict = _judge(one, segment.reference)
                _count(planted, kind, one, verdict)
                _count(blind, kind, one, _judge(one, None))
                if kind == "off-target" and verdict.language:
                    named[verdict.language == one.language] += 1
    return Measured(name, references, sources, planted, blind, named[True] / max(1, named.total()))


def _false_flags(pairs: Iterable[tuple[str, str]]) -> Callable[[Direction], Tally]:
    def judged(way: Direction) -> Tally:
        tally = Tally()
        for source, translation in pairs:
            names = flag(source, None, translation, way).names
            tally.n.update(FAILURES)
            tally.flagged.update(names)
        return tally

    return judged


def _judge(one: Planted, reference: str | None) -> Verdict:
    segment = one.segment
    return flag(segment.source, reference, one.hypothesis, segment.direction)


def _count(tally: Tally, kind: str, one: Planted, verdict: Verdict) -> None:
    tally.n[kind] += 1
    if kind in verdict.names:
        tally.flagged[kind] += 1
    else:
        tally.missed.append((kind, one, verdict))


def together(tallies: Iterable[Tally]) -> Tally:
    """All directions as one."""
    whole = Tally()
    for tally in tallies:
        whole.n += tally.n
        whole.flagged += tally.flagged
    return whole


def collect(sample: int | None = None) -> list[Measured]:
    """Measure everyday sentences, WMT17 to WMT20, and WMT21 with WMT22.

    Raises:
        NotAvailable: sacrebleu's cache does not hold the sets.
    """
    everyday, wmt = open_everyday(), WmtCorpus()
    sets: dict[str, dict[Direction, list[Segment]]] = {
        "WMT17-20": {way: _segments(way, wmt.pool(way)) for way in wmt.train_directions()},
        "WMT21-22": {way: _segments(way, wmt.test(way)) for way in wmt.test_directions()},
        "everyday": {
            way: _segments(way, [*everyday.pool(way), *everyday.test(way)])
            for way in everyday.test_directions()
        },
    }
    return [measure(name, segments, sample) for name, segments in sets.items()]


def _segments(way: Direction, pairs: Sequence[Any]) -> list[Segment]:
    return [Segment(way, pair.source, pair.target) for pair in pairs]


def as_json(results: Iterable[Measured]) -> dict[str, Any]:
    """Every share by set and kind: `{set: {references, sources, planted, blind, named}}`."""
    return {
        one.name: {
            "references": _shares(together(one.references.values())),
            "sources": _shares(together(one.sources.values())),
            "planted": _shares(one.planted),
            "blind": _shares(one.blind),
            "named": one.named,
        }
        for one in results
    }


def _shares(tally: Tally) -> dict[str, float]:
    return {kind: tally.share(kind) for kind in FAILURES}


def markdown(results: Sequence[Measured]) -> str:
    """The tables of `docs/failures.md`."""
    lines = [HEAD, "## Flags on true translations, %", ""]
    columns = [
        (f"{one.name} {side}", together(getattr(one, side).values()))
        for one in results
        for side in ("references", "sources")
    ]
    lines += _header("failure", [name for name, _ in columns])
    for kind in FAILURES:
        lines.append(_row(kind, [f"{100 * tally.share(kind):.2f}" for _, tally in columns]))
    lines.append(_row("segments", [f"{tally.n['empty']:,}" for _, tally in columns]))
    lines += ["", "## Planted failures found, %", ""]
    lines += _header(
        "failure", [f"{one.name}{how}" for one in results for how in ("", ", no reference")]
    )
    for kind in FAILURES:
        cells = []
        for one in results:
            cells += [_found(one.planted, kind), _found(one.blind, kind)]
        lines.append(_row(kind, cells))
    named = ", ".join(f"{100 * one.named:.1f}% ({one.name})" for one in results)
    lines += [
        "",
        f"In brackets how many were planted. Of the wrong languages found, {named} are "
        "named rightly.",
        "",
        "## Off-target flags on true translations, % by direction",
        "",
    ]
    lines += _header("direction", [name for name, _ in columns])
    ways = sorted({way for one in results for way in (*one.references, *one.sources)})
    for way in ways:
        cells = []
        for one in results:
            for side in (one.references, one.sources):
                tally = side.get(way)
                cells.append(f"{100 * tally.share('off-target'):.2f}" if tally else "")
        lines.append(_row(way, cells))
    return "\n".join([*lines, "", TAIL])


def _found(tally: Tally, kind: str) -> str:
    return f"{100 * tally.share(kind):.1f} ({tally.n[kind]:,})"


def _header(first: str, names: Sequence[str]) -> list[str]:
    return [_row(first, names), "|---|" + "---:|" * len(names)]


def _row(first: str, cells: Sequence[str]) -> str:
    return f"| {first} | " + " | ".join(cells) + " |"


HEAD = """# Failures, as measured

Made by `python -m benchmarks.failures`. True translations are judged *without* their reference
beside them, which is harder than in a run; a source is judged as a translation in the opposite
direction. No set is quite unseen: the thresholds for languages were once set on WMT21 and WMT22
references and everyday sentences, those for lengths after a look at the length ratios of all sets,
and two faults that misses in all three sets showed (the least length of `over-long`, loops in
Japanese and Chinese) were mended. Planted lengths and cuts are made from the very reference they
are judged against, and cuts leave at most three quarters: later ones are not measured.
WMT17-20 and WMT21-22 stand apart so that a difference would show.
"""

TAIL = """## What counts

- A **failed** segment has any of the seven. **Gated** COMET counts it zero, with an interval from
  the same draws as the raw one. BLEU and chrF are taken as they fall: gated and raw are one number.
- The **stack** counts each failed segment once, under the first that it has of: empty, echo, copy,
  off-target, repetition, over-long, truncated. The single shares may overlap: a copy is off-target.
- **off-target**: py3langid among the lab's languages, with no verdict on a word or two, on names,
  or between relatives (Czech and Slovak, Russian and Ukrainian, Danish and Swedish) without a
  telling letter. Serbian and Bosnian are no languages of the lab, so Croatian is not mistaken for
  them, nor they for anything but Croatian.
- **over-long**: more than 1.75 times the reference, 1.2 times the source, and 15 letters more than
  either; without a reference 2.8 times the source. A Han character counts as 3 letters, a kana
  as 1.9.
- **truncated**: the decoder's limit, or no end mark where source and reference have one and less
  than four fifths of the reference (without one, seven tenths of the source); or a comma or an open
  bracket at the end. A sentence that only lacks its full stop is not truncated.
- **echo**: the lab's instructions with any language's name, the lines of the run's own template,
  the marks of chat templates. An instruction that was translated on the way is not found.
- Planted cuts leave a fifth to three quarters of the reference and over-long ones more than double
  it, so the reference they are measured against is the very one they were made from: real
  translations differ more."""


def main() -> int:
    """Measure and print; returns an exit status."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--sample", type=int, help="segments of each direction, instead of all")
    parser.add_argument("--json", action="store_true", help="print shares instead of tables")
    parser.add_argument("--missed", action="store_true", help="print what was missed to stderr")
    args = parser.parse_args()
    try:
        results = collect(args.sample)
    except MtlabError as error:
        print(f"{error}\nSACREBLEU names the folder of sacrebleu's data sets.", file=sys.stderr)
        return 2
    if args.missed:
        for one in results:
            for kind, planted, verdict in one.planted.missed:
                row = planted.segment
                print(
                    one.name, kind, row.direction, verdict, [row.source, row.reference],
                    [planted.hypothesis], planted.language, file=sys.stderr,
                )  # fmt: skip
    print(json.dumps(as_json(results)) if args.json else markdown(results))
    return 0


if __name__ == "__main__":
    sys.exit(main())

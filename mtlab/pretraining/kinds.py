"""The kinds of document: how each one is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import combinations

from mtlab.pretraining import shapes
from mtlab.pretraining.library import Library
from mtlab.pretraining.shapes import fill, name_of


def single(library: Library, main: str, naming: str) -> str:
    """Text in one language, now and then under a heading that names it."""
    draw, heading = library.draw, ""
    if draw.random() < 0.4:
        heading = fill(draw.choice(shapes.SINGLE_HEADINGS), naming, main, main) + "\n"
    return heading + _text(library, main, draw.randint(2, 8))


def remark(library: Library, main: str, naming: str) -> str:
    """A remark in English that names two languages, then text in one."""
    draw = library.draw
    first, second = library.shuffled(main, library.partner(main))
    opening = fill(draw.choice(shapes.REMARKS), naming, first, second)
    return opening + draw.choice(("\n", "\n\n", " ")) + _text(library, main, draw.randint(1, 4))


def steady(library: Library, main: str, naming: str) -> str:
    """One to five pairs of one direction in one shape, bare, named or under a heading; a table."""
    draw = library.draw
    source, target = library.shuffled(main, library.partner(main))
    rows = draw.randint(1, 5)
    style = draw.random()
    if style < 0.2:
        return _table(library, main, naming, rows)
    shape = draw.choice(shapes.NAMED if style < 0.45 else shapes.PLAIN)
    pairs = _gap(library).join(_pair(library, shape, naming, source, target) for _ in range(rows))
    if style < 0.65:
        return pairs
    heading = fill(draw.choice(shapes.HEADINGS), naming, source, target)
    return heading + draw.choice(shapes.HEADING_ENDS) + pairs


def changing(library: Library, main: str, naming: str) -> str:
    """One to four pairs, each of its own direction, announced by the languages' names alone."""
    draw = library.draw
    codes = library.codes(library.group(main, library.partner(main)))
    pairs = [pair for pair in combinations(codes, 2) if main in pair or draw.random() < 0.7]
    named = draw.random() < 0.5
    shape = draw.choice(shapes.NAMED if named else shapes.PLAIN)
    heading, end = draw.choice(shapes.HEADINGS), draw.choice(shapes.HEADING_ENDS)
    items = []
    for _ in range(draw.randint(1, 4)):
        source, target = library.shuffled(*draw.choice(pairs))
        item = _pair(library, shape, naming, source, target)
        items.append(item if named else fill(heading, naming, source, target) + end + item)
    return _gap(library).join(items)


def several(library: Library, main: str, naming: str) -> str:
    """One sentence, then the same in every other language there is, each named."""
    draw = library.draw
    group = library.group(main, library.partner(main))
    source, *others = library.shuffled(*library.codes(group))
    label = draw.choice(shapes.LABELS)
    gap = draw.choice(("\n", "\n", "\n\n", " "))
    first = library.take(group, source)
    lines = [fill(label, naming, source, source, "", first) if draw.random() < 0.4 else first]
    for code in others:
        lines.append(fill(label, naming, source, code, "", library.take(group, code)))
    return gap.join(lines)


KINDS: Mapping[Callable[[Library, str, str], str], float] = {
    single: 0.20,
    remark: 0.05,
    steady: 0.24,
    changing: 0.40,
    several: 0.11,
}
"""How often each kind is made: a quarter is in one language."""


def _text(library: Library, code: str, sentences: int) -> str:
    gap = library.draw.choice((" ", " ", "\n"))
    return gap.join(library.take(library.group(code), code) for _ in range(sentences))


def _pair(library: Library, shape: str, naming: str, source: str, target: str) -> str:
    group = library.group(source, target)
    texts = library.take(group, source), library.take(group, target)
    return fill(shape, naming, source, target, *texts)


def _table(library: Library, main: str, naming: str, rows: int) -> str:
    draw = library.draw
    columns = library.shuffled(*library.codes(library.group(main, library.partner(main))))
    if len(columns) > 2 and draw.random() < 0.4:
        columns = columns[:2]
    bar = draw.choice((" | ", " | ", "\t", " ; ", " / "))
    lines = [bar.join(name_of(code, naming) for code in columns)]
    if draw.random() < 0.3:
        lines.append(bar.join("---" for _ in columns))
    for _ in range(rows):
        row = library.group(*columns)
        lines.append(bar.join(library.take(row, code) for code in columns))
    return "\n".join(lines)


def _gap(library: Library) -> str:
    return library.draw.choice(("\n", "\n", "\n\n"))

"""Tables and lists in Markdown, with nothing in them that Markdown would read as its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any


def table(header: Sequence[str], rows: Iterable[Sequence[str]], numbers_from: int = 1) -> str:
    """A table.

    Args:
        header: of each column.
        rows: text cells.
        numbers_from: the first column that is set to the right.
    """
    rule = ["---" if place < numbers_from else "---:" for place in range(len(header))]
    return "\n".join([_row(header), f"|{'|'.join(rule)}|", *map(_row, rows)])


def frame_table(frame: Any, corner: str) -> str:
    """A pandas table of text cells, its index in the first column."""
    rows = zip(frame.index, frame.to_numpy(), strict=True)
    cells = [[str(name), *map(str, row)] for name, row in rows]
    return table([corner, *map(str, frame.columns)], cells)


def bullets(texts: Iterable[str]) -> str:
    """A list."""
    return "\n".join(f"- {escaped(text)}" for text in texts)


def folded(summary: str, texts: Sequence[str]) -> Iterator[str]:
    """A list that is closed until somebody opens it, in paragraphs."""
    yield f"<details><summary>{escaped(summary)}</summary>"
    yield bullets(texts)
    yield "</details>"


def escaped(text: str) -> str:
    """Text with what would end a cell or begin HTML set as itself."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|")


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(map(escaped, cells))} |"

"""A person's own parallel text: one table (TSV, CSV, JSONL) or two aligned files.

Nothing is repaired silently. The first thing wrong ends the reading with one sentence that names
the file and the line. Lines end with a line feed (or carriage return and line feed); a byte order
mark is dropped.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mtlab.errors import InputError
from mtlab.json_text import parse_json
from mtlab.languages import LANGUAGES
from mtlab.spec import Direction

MAX_CHARACTERS = 10_000
"""The longest sentence taken, in characters."""

MAX_ROWS = 1_000_000
"""The most rows taken from one file."""

SUFFIXES = (".tsv", ".csv", ".jsonl")

Row = dict[str, str]


def read_table(path: Path, direction: Direction | None, max_megabytes: int) -> dict[int, Row]:
    """Read a TSV, CSV or JSONL file into rows by line number, each a text by language code.

    A table's first line names its columns: language codes, or `source` and `target`. Without it,
    two columns and a direction are enough. A JSON line has language codes as keys, or `source` and
    `target`, with the direction in its own `direction` key or given here.

    Args:
        path: the file; its suffix says what it is.
        direction: the languages of `source` and `target`.
        max_megabytes: the largest file taken, in MB of 1,000,000 bytes.

    Raises:
        InputError: the file cannot be used; names the line.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(
            f"'{path.name}' is not a TSV, CSV or JSONL file",
            field="corpus",
            fix="name it .tsv, .csv or .jsonl, or give two aligned files as A.de,A.en:de-en",
        )
    lines = _lines(path, max_megabytes)
    if suffix == ".jsonl":
        rows = _json_rows(path, lines, direction)
    else:
        rows = _cell_rows(path, lines, direction)
    return _checked(path, rows)


def read_aligned(
    source: Path, target: Path, direction: Direction, max_megabytes: int
) -> dict[int, Row]:
    """Read two files whose lines correspond into rows by line number.

    Raises:
        InputError: one cannot be used, or they differ in length; names the line.
    """
    sources, targets = _lines(source, max_megabytes), _lines(target, max_megabytes)
    if len(sources) != len(targets):
        raise InputError(
            f"'{source.name}' has {_count(len(sources), 'line')} and '{target.name}' has "
            f"{_count(len(targets), 'line')}",
            field="corpus",
            fix="give two files whose lines correspond",
        )
    for path, lines in ((source, sources), (target, targets)):
        for number, line in enumerate(lines, start=1):
            _check_text(path, number, line)
    codes = (direction.source, direction.target)
    texts = zip(sources, targets, strict=True)
    return {
        number: dict(zip(codes, map(str.strip, pair), strict=True))
        for number, pair in enumerate(texts, start=1)
    }


def _lines(path: Path, max_megabytes: int) -> list[str]:
    """The lines of a UTF-8 text file, without their ends."""
    try:
        size = path.stat().st_size
        if size > max_megabytes * 1_000_000:
            raise InputError(
                f"'{path.name}' has {size / 1e6:,.1f} MB, and {max_megabytes} MB are allowed",
                field="corpus",
                fix="give a smaller file or set MTLAB_MAX_UPLOAD_MB",
            )
        data = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"'{path}' cannot be read", field="corpus", why=error.strerror, fix="check the path"
        ) from None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        number = data.count(b"\n", 0, error.start) + 1
        raise _problem(path, number, "is not UTF-8", "save the file as UTF-8") from None
    if not text.strip():
        raise InputError(f"'{path.name}' is empty", field="corpus", fix="give sentence pairs")
    # Only line feeds end a line: splitlines() would also split at the rarer separators that stand
    # inside sentences, and two aligned files would drift apart.
    lines = text.removesuffix("\n").split("\n")
    if len(lines) > MAX_ROWS + 1:
        raise InputError(
            f"'{path.name}' has {len(lines):,} lines, and {MAX_ROWS:,} are allowed",
            field="corpus",
            fix="give a part of it",
        )
    return [line.removesuffix("\r") for line in lines]


def _cell_rows(
    path: Path, lines: list[str], direction: Direction | None
) -> Iterator[tuple[int, Row]]:
    """The rows of a TSV or CSV."""
    table = _csv_cells(path, lines) if path.suffix.lower() == ".csv" else _tsv_cells(lines)
    first_number, first = next(table)
    header = [cell.strip().lower() for cell in first]
    columns = _columns(header, direction)
    if columns is None and direction and len(first) == 2 and not set(header) <= set(LANGUAGES):
        columns = {0: direction.source, 1: direction.target}
        yield first_number, _row(path, first_number, first, columns, 2)
    elif columns is None:
        raise _problem(
            path,
            1,
            "names no two known languages" if len(first) > 1 else "has one column",
            "begin with a line of language codes such as 'de' and 'en', or give two columns and "
            f"the direction, as {path.name}:de-en",
        )
    for number, cells in table:
        yield number, _row(path, number, cells, columns, len(first))


def _columns(header: Sequence[str], direction: Direction | None) -> dict[int, str] | None:
    """Which column holds which language; `None` when the first line is no header."""
    if direction and {"source", "target"} <= set(header):
        return {
            header.index("source"): direction.source,
            header.index("target"): direction.target,
        }
    columns = {place: code for place, code in enumerate(header) if code in LANGUAGES}
    known = len(set(columns.values()))
    wanted = {direction.source, direction.target} if direction else set()
    good = known >= 2 and known == len(columns) and wanted <= set(columns.values())
    return columns if good else None


def _row(
    path: Path, number: int, cells: Sequence[str], columns: Mapping[int, str], width: int
) -> Row:
    if not any(map(str.strip, cells)):
        raise _problem(path, number, "is empty", "delete the line")
    if len(cells) != width:
        raise _problem(
            path,
            number,
            f"has {_count(len(cells), 'column')} where {width} are expected",
            "give every row the same columns",
        )
    return {code: cells[place] for place, code in columns.items()}


def _tsv_cells(lines: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    for number, line in enumerate(lines, start=1):
        yield number, line.split("\t")


def _csv_cells(path: Path, lines: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader((line + "\n" for line in lines), strict=True)
    number = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise _problem(
                path, reader.line_num, f"is not CSV: {error}", "check its quotes"
            ) from None
        # A quoted cell may run over several lines; a sentence has none of its own.
        yield number, [re.sub(r"\s*\n\s*", " ", cell) for cell in cells] or [""]
        number = reader.line_num + 1


def _json_rows(
    path: Path, lines: Sequence[str], direction: Direction | None
) -> Iterator[tuple[int, Row]]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            raise _problem(path, number, "is empty", "delete the line")
        try:
            value = parse_json(line)
        except ValueError:
            raise _problem(path, number, "is not JSON", "write one object per line") from None
        try:
            yield number, row_of(value, direction)
        except InputError as error:
            raise _problem(path, number, error.what, error.fix or "") from None


def row_of(value: Any, direction: Direction | None) -> Row:
    """The texts of a JSON object or a data set's record, by language.

    Takes language codes as keys, `source` and `target` with a direction, or either of these within
    `translation`, as data sets on the hub have it.

    Raises:
        InputError: no two texts can be found in it.
    """
    if isinstance(value, Mapping) and isinstance(value.get("translation"), Mapping):
        value = value["translation"]
    if not isinstance(value, Mapping):
        raise InputError("is not an object", fix='write {"de": "...", "en": "..."}')
    if "source" in value and "target" in value:
        named = value.get("direction")
        if named is not None:
            direction = Direction.parse(named, field="corpus")
        if direction is None:
            raise InputError("has no direction", fix="add it after the name, as NAME:de-en")
        row = {direction.source: value["source"], direction.target: value["target"]}
    else:
        row = {code: text for code, text in value.items() if code in LANGUAGES}
        if direction:
            row = {code: row[code] for code in (direction.source, direction.target) if code in row}
        if len(row) < 2:
            wanted = f"'{direction.source}' and '{direction.target}'" if direction else "two known"
            raise InputError(
                f"lacks {wanted} {'texts' if direction else 'languages'}",
                fix='write {"de": "...", "en": "..."} or {"source": "...", "target": "..."}',
            )
    for code, text in row.items():
        if not isinstance(text, str):
            raise InputError(f"has no text for '{code}'", fix="give a sentence in quotes")
    return row


def _checked(path: Path, rows: Iterator[tuple[int, Row]]) -> dict[int, Row]:
    good: dict[int, Row] = {}
    for number, row in rows:
        for code, text in row.items():
            _check_text(path, number, text, f" in '{code}'")
        good[number] = {code: text.strip() for code, text in row.items()}
    if not good:
        raise InputError(
            f"'{path.name}' has a header and no rows", field="corpus", fix="give sentence pairs"
        )
    return good


def _check_text(path: Path, number: int, text: str, where: str = "") -> None:
    if not text.strip():
        raise _problem(path, number, f"is empty{where}", "fill it in or delete the line")
    if len(text) > MAX_CHARACTERS:
        raise _problem(
            path,
            number,
            f"has {len(text):,} characters{where}, and {MAX_CHARACTERS:,} are allowed",
            "split it into sentences",
        )
    try:
        text.encode()
    except UnicodeEncodeError:  # JSON can write half a character
        raise _problem(path, number, f"has half a character{where}", "write it whole") from None
    if "\x00" in text:
        raise _problem(path, number, f"has a zero byte{where}", "give a text file")


def _problem(path: Path, number: int, what: str, fix: str) -> InputError:
    return InputError(f"line {number:,} of '{path.name}' {what}", field="corpus", fix=fix)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"

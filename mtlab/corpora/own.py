"""A person's own file as a corpus: held-out rows, and where the name is read.

A part of the rows is held out for testing: a tenth, at least one and at most 500. Which rows is
decided by what they say, not by where they stand or by a run's seed, so that every run on a file
is tested on the same sentences. A file that serves for training alone, or for testing alone, is
not divided.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from mtlab.corpora.files import Row, read_aligned, read_table
from mtlab.corpora.multiway import MultiwayCorpus
from mtlab.errors import InputError
from mtlab.spec import Direction

Use = Literal["both", "train", "test"]

HELD_OUT_SHARE = 0.1
HELD_OUT_MOST = 500


def split_name(name: str) -> tuple[str, Direction | None]:
    """Take `FILE:de-en` apart; a name without a direction is all file."""
    found = re.fullmatch(r"(.+):([A-Za-z]{2,3}-[A-Za-z]{2,3})", name)
    if not found:
        return name, None
    return found[1], Direction.parse(found[2], field="corpus")


def paths_of(name: str) -> tuple[Path, ...]:
    """The file or the two aligned files that a corpus name means."""
    file, direction = split_name(name)
    path = Path(file).expanduser()
    if direction and "," in file and not path.exists():
        return tuple(Path(part.strip()).expanduser() for part in file.split(","))
    return (path,)


def open_own(name: str, use: Use, max_megabytes: int) -> MultiwayCorpus:
    """Read `FILE.tsv`, `FILE.csv`, `FILE.jsonl`, each with `:de-en` or not, or `A,B:de-en`.

    Args:
        name: the file or files.
        use: `both` holds rows out for testing; the others put all rows on one side.
        max_megabytes: the largest file taken, in MB.

    Raises:
        InputError: it cannot be used; names the line.
    """
    _, direction = split_name(name)
    paths = paths_of(name)
    for path in paths:
        if not path.is_file():
            raise InputError(
                f"there is no corpus or file '{path}'",
                field="corpus",
                fix="use everyday, wmt, hub:OWNER/NAME or a TSV, CSV or JSONL file",
            )
    if len(paths) == 2 and direction:
        rows = read_aligned(paths[0], paths[1], direction, max_megabytes)
    elif len(paths) == 1:
        rows = read_table(paths[0], direction, max_megabytes)
    else:
        raise InputError(
            f"'{name}' names {len(paths)} files", field="corpus", fix="give two, as A.de,A.en:de-en"
        )
    titles = " and ".join(f"'{path.name}'" for path in paths)
    train, test = divide(rows, use)
    return MultiwayCorpus(name, titles, "as its owner says", train, test, label=paths[0].name)


def divide(rows: Mapping[int, Row], use: Use) -> tuple[dict[int, Row], dict[int, Row]]:
    """Rows to train on and rows held out.

    Raises:
        InputError: a single row cannot be divided.
    """
    if use == "train":
        return dict(rows), {}
    if use == "test":
        return {}, dict(rows)
    if len(rows) < 2:
        raise InputError(
            "one row cannot be both trained and tested on",
            field="corpus",
            fix="give two or more rows, or another test corpus",
        )
    count = min(HELD_OUT_MOST, max(1, int(len(rows) * HELD_OUT_SHARE)))
    by_content = sorted(rows, key=lambda number: (_fingerprint(rows[number]), number))
    held_out = set(by_content[:count])
    return (
        {number: row for number, row in rows.items() if number not in held_out},
        {number: row for number, row in rows.items() if number in held_out},
    )


def _fingerprint(row: Row) -> str:
    text = "\t".join(f"{code}={row[code]}" for code in sorted(row))
    return hashlib.sha256(text.encode()).hexdigest()

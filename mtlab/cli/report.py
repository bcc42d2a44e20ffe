"""`mtlab report`: finished runs as a page, a table or a bundle; the file's ending says which."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from mtlab.cli import printing
from mtlab.errors import InputError
from mtlab.lab import Lab

if TYPE_CHECKING:
    from mtlab.results.report import Report

ENDINGS = (".html", ".csv", ".json", ".tex", ".zip")


def report(args: argparse.Namespace) -> int:
    """Write a report on runs and print what they show."""
    output = Path(args.output)
    if output.suffix not in ENDINGS:
        raise InputError(
            f"'{output}' has no ending that says what to write",
            field="--output",
            fix=f"end it with {', '.join(ENDINGS)}",
        )
    made = Lab().report(args.id, args.group, metric=args.metric, title=args.title)
    try:
        _writer(output.suffix)(made, output)
    except OSError as error:
        raise InputError(
            f"'{output}' cannot be written",
            field="--output",
            why=error.strerror,
            fix="choose another",
        ) from None
    for finding in made.findings:
        print(f"- {finding.sentence}")
    print(output)
    return printing.finish(
        args,
        {
            "file": str(output),
            "runs": [record.id for record in made.records],
            "findings": [finding.to_json() for finding in made.findings],
        },
    )


def _writer(ending: str) -> Callable[[Report, Path], None]:
    from mtlab.results.bundle import write_bundle

    def text(made: Report, path: Path) -> None:
        contents = {".html": made.html, ".csv": made.csv, ".json": made.json, ".tex": made.latex}
        path.write_text(contents[ending](), encoding="utf-8")

    return write_bundle if ending == ".zip" else text

"""`mtlab report`: finished runs as a page, a table or a bundle; the file's ending says which."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from mtlab.cli import printing
from mtlab.errors import InputError
from mtlab.lab import Lab
from mtlab.runs.store import RunRecord

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
    lab = Lab()
    records = _records(lab, args)
    from mtlab.results.report import make_report

    made = make_report(records, lab.settings, metric=args.metric, title=args.title)
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


def _records(lab: Lab, args: argparse.Namespace) -> list[RunRecord]:
    """The runs that are named, and those of the groups that are."""
    records = {record.id: record for record in map(lab.store.get, args.id)}
    for group in args.group:
        found = [record for record in lab.store.list() if record.spec.group == group]
        if not found:
            known = sorted({one.spec.group for one in lab.store.list() if one.spec.group})
            fix = f"use one of {', '.join(known)}" if known else "start a sweep first"
            raise InputError(f"there is no group '{group}'", field="--group", fix=fix)
        records.update((record.id, record) for record in found)
    if not records:
        raise InputError("no run is named", field="ID", fix="give ids, or --group NAME")
    return list(records.values())


def _writer(ending: str) -> Callable[[Report, Path], None]:
    from mtlab.results.bundle import write_bundle

    def text(made: Report, path: Path) -> None:
        contents = {".html": made.html, ".csv": made.csv, ".json": made.json, ".tex": made.latex}
        path.write_text(contents[ending](), encoding="utf-8")

    return write_bundle if ending == ".zip" else text

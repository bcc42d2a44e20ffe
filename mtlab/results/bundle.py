"""A bundle: a zip with which somebody else reads, checks and reruns a set of runs."""

from __future__ import annotations

import shlex
import zipfile
from pathlib import Path

from mtlab.results.report import Report

KEPT = ("spec.json", "provenance.json", "scores.json", "train.jsonl")
"""What of a run's folder goes in, beside its translations; the model does not."""

_README = """\
{title}

report.html         open it in a browser; needs no network
scores.csv          a row per run, system, direction and metric
report.json         the same rows, and the findings with what they rest on
table.tex           for LaTeX, with the package booktabs
runs/ID/            spec, provenance, training pairs as trained on, translations, scores
rerun.sh            every run again: sh rerun.sh, where mtlab is installed

The models are not in here: rerun.sh makes them again. provenance.json names the versions and the
digests of the data; with the same ones on the same kind of machine the numbers are the same.
"""


def write_bundle(report: Report, path: Path) -> None:
    """Write a report, the data behind it and the commands that make it again into a zip.

    Raises:
        OSError: the file cannot be written.
    """
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bundle:
        bundle.writestr("README.txt", _README.format(title=report.title))
        bundle.writestr("report.html", report.html())
        bundle.writestr("scores.csv", report.csv())
        bundle.writestr("report.json", report.json())
        bundle.writestr("table.tex", report.latex())
        lines = ["#!/bin/sh", "set -e", 'cd "$(dirname "$0")"']
        for record in report.records:
            folder = f"runs/{record.id}"
            bundle.writestr(f"{folder}/spec.yaml", record.spec.to_yaml())
            lines.append(f"mtlab run {shlex.quote(f'{folder}/spec.yaml')}")
            files = [record.folder / name for name in KEPT]
            files += sorted((record.folder / "translations").glob("*.jsonl"))
            for file in files:
                if file.is_file():
                    bundle.write(file, f"{folder}/{file.relative_to(record.folder)}")
        bundle.writestr("rerun.sh", "\n".join(lines) + "\n")

"""A bundle: a zip with which somebody else reads, checks and reruns a set of runs."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

from mtlab.presets import RUN
from mtlab.results.report import Report
from mtlab.runs.store import RunRecord

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
        for record in report.records:
            folder = f"runs/{record.id}"
            bundle.writestr(f"{folder}/spec.yaml", record.spec.to_yaml())
            files = [record.folder / name for name in KEPT]
            files += sorted((record.folder / "translations").glob("*.jsonl"))
            for file in files:
                if file.is_file():
                    bundle.write(file, f"{folder}/{file.relative_to(record.folder)}")
        bundle.writestr("rerun.sh", rerun_script(report.records))


def rerun_script(records: Sequence[RunRecord]) -> str:
    """A shell script that makes runs again from the specs in a bundle, the oldest first.

    Where a run goes on from another, or has its translations, it is given that one's new id. One
    that needs a run outside of the bundle is left out, and the script says so.
    """
    lines = ["#!/bin/sh", "set -e", 'cd "$(dirname "$0")"']
    needs = {record.id: _needs(record) for record in records}
    needed = {run for flags in needs.values() for run in flags.values()}
    made: dict[str, str] = {}
    for number, record in enumerate(records, start=1):
        missing = [run for run in needs[record.id].values() if run not in made]
        if missing:
            lines.append(f"echo 'left out: {record.id} needs run {missing[0]}' >&2")
            continue
        command = f"mtlab run runs/{record.id}/spec.yaml"
        for flag, run in needs[record.id].items():
            command += f' {flag} "run:${made[run]}"'
        if record.id in needed:
            made[record.id] = f"run_{number}"
            lines.append(f"said=$({command} --json)")
            lines.append(f"""run_{number}=$(printf '%s\\n' "$said" | tail -n 1 | {_ID})""")
        else:
            lines.append(command)
    return "\n".join(lines) + "\n"


_ID = r"""sed 's/^{"id": "\([^"]*\)".*/\1/'"""


def _needs(record: RunRecord) -> dict[str, str]:
    """The runs that a run needs, by the flag that names them."""
    spec = record.spec
    needs = {}
    if spec.base.startswith(RUN):
        needs["--base"] = spec.base.removeprefix(RUN)
    translator = spec.noise.translator or ""
    if spec.noise.active and (record.folder.parent / translator / "spec.json").is_file():
        needs["--translator"] = translator
    return needs

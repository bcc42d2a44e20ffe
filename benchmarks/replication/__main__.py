"""Writes docs/replication from finished runs.

    mtlab sweep paper/size --seeds 3          # and paper/direction, paper/noise, paper/unseen
    python -m benchmarks.replication [-o docs/replication] [--base nano] [--metric bleu]

The home is the one that `MTLAB_HOME` names. A seed counts for a preset when all of its runs have
finished, by whatever name they were made. Tables, findings and verdicts are the lab's own; what is
here only puts them on pages.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.replication.pages import KINDS, csv_of, figure_of, index, page
from benchmarks.replication.replica import replica
from mtlab import Lab
from mtlab.errors import MtlabError
from mtlab.results.labels import METRICS


def main() -> int:
    """Write the pages; returns an exit status."""
    parser = argparse.ArgumentParser(prog="benchmarks.replication", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("-o", "--output", type=Path, default=Path("docs/replication"))
    parser.add_argument("--base", default="nano")
    parser.add_argument("--metric", default="bleu", choices=list(METRICS))
    args = parser.parse_args()
    lab = Lab()
    made = []
    for name in KINDS:
        try:
            found = replica(lab, name, args.base, args.metric)
        except MtlabError as error:
            print(f"{name}: {error}", file=sys.stderr)
            continue
        made += [found] if found is not None else []
    if not made:
        return 1
    args.output.mkdir(parents=True, exist_ok=True)
    files = {"README.md": index(made)}
    for one in made:
        figure = figure_of(one)
        files |= {f"{one.file}.svg": figure} if figure is not None else {}
        files[f"{one.file}.md"] = page(one, has_figure=figure is not None)
        files[f"{one.file}.csv"] = csv_of(one)
    for name, text in files.items():
        (args.output / name).write_text(text, encoding="utf-8")
        print(args.output / name)
    return 0


if __name__ == "__main__":
    sys.exit(main())

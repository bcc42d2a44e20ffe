"""`mtlab merge` and `mtlab push`: what a run made, as a whole model and on the hub."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtlab.cli import printing
from mtlab.errors import InputError
from mtlab.lab import Lab, Run

if TYPE_CHECKING:
    from mtlab.sharing.packing import Package


def merge(args: argparse.Namespace) -> int:
    """Write a run's merged weights."""
    run = _run(args.id)
    folder = run.merge(args.out or f"{run.id}-merged")
    files = [path for path in sorted(folder.iterdir()) if path.is_file()]
    _files([(path.name, path.stat().st_size) for path in files])
    print(f"translates as base and adapter do: {folder}")
    return printing.finish(args, {"id": run.id, "folder": str(folder)})


def push(args: argparse.Namespace) -> int:
    """Show what would be pushed, and push it."""
    run = _run(args.id)
    if args.dry_run and args.output:
        raise InputError(
            "nothing is written in a dry run", field="--output", fix="leave out one of the two"
        )
    folder = Path(args.output) if args.output else None  # a folder may be called "hub"
    made = run.share(
        args.name,
        weights="merged" if args.merged else "own",
        visibility="private" if args.private else "public",
        to=folder if folder or args.dry_run else "hub",
        on_packed=_show,
    )
    if made.address:
        print(f"pushed to {made.address}")
    elif args.output:
        print(f"written to {made.package.folder}")
    else:
        print("nothing was pushed")
    files = [{"path": path, "bytes": size} for path, size in made.package.files]
    return printing.finish(
        args,
        {
            "id": run.id,
            "name": args.name,
            "weights": made.package.weights,
            "files": files,
            "folder": str(made.package.folder) if args.output else None,
            "address": made.address,
        },
    )


def add_merge_arguments(verb: argparse.ArgumentParser) -> None:
    """The flags of `merge`."""
    verb.add_argument("id", metavar="ID", help="a run's id, or latest")
    verb.add_argument("--out", metavar="DIR", help="a folder to be made; default: ID-merged")


def add_push_arguments(verb: argparse.ArgumentParser) -> None:
    """The flags of `push`."""
    verb.add_argument("id", metavar="ID", help="a run's id, or latest")
    verb.add_argument("name", metavar="OWNER/NAME", help="the repository; made if it is not there")
    verb.add_argument("--merged", action="store_true", help="base and adapter as one model")
    verb.add_argument("--private", action="store_true", help="for its owner's eyes alone")
    verb.add_argument("--dry-run", action="store_true", help="say what would be pushed")
    verb.add_argument("--output", metavar="DIR", help="write the folder instead of pushing it")


def _run(name: str) -> Run:
    from mtlab.runs.translators import latest_finished

    lab = Lab()
    return lab.run(latest_finished(lab.store, "id").id if name == "latest" else name)


def _show(package: Package) -> None:
    _files(package.files)


def _files(files: Any) -> None:
    rows = [{"file": path, "size": _size(size)} for path, size in files]
    total = sum(size for _, size in files)
    printing.table([*rows, {"file": f"{len(rows)} files", "size": _size(total)}])


def _size(size: int) -> str:
    if size < 10_000:
        return f"{size:,} B"
    return f"{size / 1e3:,.0f} kB" if size < 10_000_000 else f"{size / 1e6:,.0f} MB"

"""`mtlab deploy`: the lab as a Hugging Face Space."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from mtlab.access.people import EVERYBODY
from mtlab.cli import printing
from mtlab.errors import InputError
from mtlab.presets import resolve_base
from mtlab.settings import Settings
from mtlab.spaces import (
    Deployment,
    Hardware,
    SpaceFile,
    assemble,
    create,
    read_secrets,
    read_variables,
    renew,
    write,
)
from mtlab.spaces.hardware import BASIC

_ALLOW = "MTLAB_ALLOW"


def deploy(args: argparse.Namespace) -> int:
    """Show what would be pushed, then push it, unless it is only to be shown or written."""
    hardware = Hardware.named(args.hardware)
    variables = read_variables(args.variable)
    secrets = read_secrets(args.secret, os.environ)
    files = assemble(hardware, _on_the_hub(args.preload))
    plan = Deployment(args.space, hardware, files, variables, secrets, args.private)
    _show(plan, "as visible as it is" if args.update else "public")
    if not args.update or _ALLOW in plan.variables:  # else as it is there
        print(f"launching: {_who_launches(plan)}")
    sys.stdout.flush()
    shown = plan.to_json()
    if args.output:
        write(plan.files, args.output)
        print(f"\nwritten to {args.output}, nothing pushed")
        return printing.finish(args, {**shown, "folder": str(args.output), "address": None})
    if args.dry_run:
        print("\nnothing pushed")
        return printing.finish(args, {**shown, "address": None})
    from huggingface_hub import HfApi

    print(f"\npushing to '{plan.name}' ...", file=sys.stderr)
    push = renew if args.update else create
    address = push(plan, HfApi(library_name="mtlab"))
    print(f"\n{address}")
    return printing.finish(args, {**shown, "address": address})


def add_arguments(verb: argparse.ArgumentParser) -> None:
    """Add the flags."""
    verb.add_argument("space", metavar="OWNER/NAME", help="the Space's name on the hub")
    verb.add_argument(
        "--hardware", metavar="X", default=BASIC,
        help="what it runs on: cpu-basic when not given, cpu-upgrade, t4-small, a10g-small, ...",
    )  # fmt: skip
    verb.add_argument("--private", action="store_true", help="for its owner alone to see")
    verb.add_argument(
        "--preload", metavar="BASE", action="append", default=[],
        help="a base of the hub that is fetched when the Space is built; repeatable",
    )  # fmt: skip
    verb.add_argument(
        "--variable", metavar="NAME=VALUE", action="append", default=[],
        help="a setting such as MTLAB_ALLOW, for everybody to read; repeatable",
    )  # fmt: skip
    verb.add_argument(
        "--secret", metavar="NAME[=VALUE]", action="append", default=[],
        help="such as HF_TOKEN, for nobody to read; taken from the environment when no value is "
        "given; repeatable",
    )  # fmt: skip
    verb.add_argument("--update", action="store_true", help="push to a Space that is there")
    instead = verb.add_mutually_exclusive_group()
    instead.add_argument("--dry-run", action="store_true", help="show what would be pushed")
    instead.add_argument("--output", metavar="DIR", type=Path, help="write it there instead")


def _on_the_hub(names: Sequence[str]) -> list[str]:
    """The hub's names of bases."""
    settings = Settings.from_environment()
    repos = []
    for name in names:
        base = resolve_base(name, settings)
        if base.repo is None:
            raise InputError(
                f"'{name}' is not on the hub",
                field="--preload",
                fix="name a base that is, such as qwen2.5-0.5b; nano is always there",
            )
        repos.append(base.repo)
    return list(dict.fromkeys(repos))


def _show(plan: Deployment, unless_private: str) -> None:
    seen = "private" if plan.private else unless_private
    print(f"{plan.name}  {plan.hardware.name}, {seen}\n")
    printing.table(_rows(plan.files))
    print(f"\n{len(plan.files)} files, {_megabytes(plan.size)} MB")
    for name, value in plan.variables.items():
        print(f"variable  {name}={value}")
    for name in plan.secrets:
        print(f"secret    {name}")


def _rows(files: Sequence[SpaceFile]) -> list[dict[str, Any]]:
    """A row for each file, and one for each folder that has nothing but the lab's small files."""
    folders: dict[str, list[SpaceFile]] = {}
    for file in files:
        parts = PurePosixPath(file.path).parts
        name = f"{'/'.join(parts[:2])}/" if len(parts) > 2 else f"{parts[0]}/"
        if len(parts) == 1 or file.is_lfs:
            name = file.path
        folders.setdefault(name, []).append(file)
    return [
        {
            "what": name,
            "files": len(held),
            "MB": _megabytes(sum(file.size for file in held)),
            "": "LFS" if held[0].is_lfs else "",
        }
        for name, held in folders.items()
    ]


def _megabytes(size: int) -> float:
    return round(size / 1e6, 2)


def _who_launches(plan: Deployment) -> str:
    names = Settings.from_environment(plan.variables).door.allow
    if EVERYBODY in names:
        return "everyone who signs in"
    return ", ".join([plan.owner, *names]) + f" (--variable {_ALLOW}=NAME,NAME lets others in)"

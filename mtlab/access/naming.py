"""What a spec from the network may name: models by pattern and allow-list, files below a root."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from mtlab.errors import InputError
from mtlab.presets import BASES, RUN
from mtlab.runs.needs import ID
from mtlab.runs.remote import refuse_files
from mtlab.settings import Settings
from mtlab.spec import RunSpec


def confined(settings: Settings, *cache: Path) -> Settings:
    """The settings for what is asked over the network: no file is opened but below the lab's
    uploads, the roots that were named, and `cache`, where the browser's uploads arrive.
    """
    from dataclasses import replace

    roots = (settings.uploads, *settings.door.roots, *cache)
    return replace(settings, confined=tuple(root.resolve() for root in roots))


def check_names(spec: RunSpec, settings: Settings, *, referring: Sequence[str] = ()) -> None:
    """Refuse what a visitor may not name.

    Args:
        spec: as it was asked for.
        settings: confined.
        referring: fields that name another run of the same sweep.

    Raises:
        InputError: says which field, and what it may name.
    """
    refuse_files(spec, settings.may_open, except_for=referring)
    for field, name in (("base", spec.base), ("noise.translator", spec.noise.translator)):
        if name and field not in referring:
            _check_allowed(field, name, settings.door.models)


def _check_allowed(field: str, name: str, patterns: Sequence[str]) -> None:
    name = name.strip().removeprefix("base:")
    if not patterns or name == "latest" or name.startswith(RUN) or ID.fullmatch(name):
        return  # what a run made rests on a base that was allowed
    preset = BASES.get(name.lower())
    names = [name.lower(), *([str(preset.repo).lower()] if preset and preset.repo else [])]
    if not any(fnmatchcase(one, pattern.lower()) for one in names for pattern in patterns):
        raise InputError(
            f"'{name}' is not among the models of this lab",
            field=field,
            fix=f"use {', '.join(patterns)}",
        )

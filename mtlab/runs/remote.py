"""What a spec that came over the network may name: things of the lab and of the hub, never a file.

A spec that a person writes on the machine itself may name files and folders of that machine. Over
the network that would let anyone read them, so each field that could be a path is held to the
forms that are none, or to the folders that were opened for it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from pathlib import Path

from mtlab.corpora import corpus_names
from mtlab.corpora.hub import PREFIX, HubName
from mtlab.corpora.own import paths_of, split_name
from mtlab.errors import InputError
from mtlab.methods import OUTPUTS
from mtlab.presets import BASES, RUN
from mtlab.spec import RunSpec

_PART = r"[A-Za-z0-9][\w.-]*"
_HUB = re.compile(rf"{_PART}/{_PART}")
_HUB_MODELS = re.compile(rf"{_PART}/(?:[\w.-]|\{{source\}}|\{{target\}})+(?:@[\w.-]+)?")
_RUN_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{4}")
_REVISION = re.compile(r"[\w.-]+")
_LONGEST = 1000

PATHS = ("base", "corpus", "test_corpus", "noise.translator")
"""Fields that may be a path and may be something else."""

FILES = ("noise.dictionary", "noise.terms")
"""Fields that are nothing but a path."""


def nothing(path: Path) -> bool:
    """Opens no file at all."""
    return False


def refuse_files(
    spec: RunSpec,
    may_open: Callable[[Path], bool] = nothing,
    *,
    except_for: Collection[str] = (),
) -> None:
    """Refuse a spec that names a file or a folder of this machine, or a COMET model of its own.

    Args:
        spec: from the network.
        may_open: which files and folders it may name all the same.
        except_for: fields that are not looked at.

    Raises:
        InputError: it does; says which field, and what it may name.
    """
    for field, allowed, fix in (
        ("base", _is_base, "use a preset, run:ID or OWNER/NAME of the hub"),
        ("corpus", _is_corpus, "use everyday, wmt or hub:OWNER/NAME"),
        ("test_corpus", _is_corpus, "use everyday, wmt or hub:OWNER/NAME"),
        ("noise.translator", _is_translator, "use latest, a run's id, a preset or a hub model"),
    ):
        value = _value(spec, field)
        if value is None or field in except_for or allowed(value.strip()):
            continue
        if not _opened(field, value.strip(), may_open):
            raise _refused(field, fix)
    for field in FILES:
        value = _value(spec, field)
        if value is not None and not _opened(field, value.strip(), may_open):
            raise _refused(field, "leave it out")
    if spec.revision is not None and not _REVISION.fullmatch(spec.revision):
        raise InputError(
            "that is no revision", field="revision", fix="give a commit, a branch or a tag"
        )
    default = RunSpec.model_fields["comet_model"].default
    if spec.comet_model != default:  # a checkpoint is a pickle, and can run code
        raise InputError(
            "a COMET model cannot be named over the network",
            field="comet_model",
            fix="leave it out",
        )


def _value(spec: RunSpec, field: str) -> str | None:
    part, _, name = field.rpartition(".")
    value: str | None = getattr(getattr(spec, part) if part else spec, name)
    return value


def _opened(field: str, value: str, may_open: Callable[[Path], bool]) -> bool:
    """Whether all files and folders that a field names may be opened."""
    if "\0" in value or len(value) > _LONGEST:
        return False
    if field in ("corpus", "test_corpus"):
        paths = paths_of(value) if value and not value.startswith(PREFIX) else ()
    elif field == "noise.dictionary":
        paths = (Path(split_name(value)[0]),)
    else:
        paths = (Path(value.removeprefix("base:").removeprefix(OUTPUTS)),)
    return bool(paths) and all(may_open(path) for path in paths)


def _refused(field: str, fix: str) -> InputError:
    return InputError(
        "a file or folder of this machine cannot be named over the network", field=field, fix=fix
    )


def _is_base(name: str) -> bool:
    if name.lower() in BASES:
        return True
    if name.startswith(RUN):
        return _RUN_ID.fullmatch(name.removeprefix(RUN)) is not None
    return _on_hub(name, _HUB_MODELS if "{" in name else _HUB)


def _is_corpus(name: str) -> bool:
    if name in dict(corpus_names()):
        return True
    return name.startswith(PREFIX) and _on_hub(HubName.parse(name).repo, _HUB)


def _is_translator(name: str) -> bool:
    if name == "latest" or _RUN_ID.fullmatch(name.removeprefix(RUN)):
        return True
    return _is_base(name.removeprefix("base:")) or _on_hub(name, _HUB_MODELS)


def _on_hub(name: str, form: re.Pattern[str]) -> bool:
    """Whether it has the form of a hub's name, and no folder here has that name too."""
    if len(name) > _LONGEST or form.fullmatch(name) is None:
        return False
    try:
        return not Path(name).exists()
    except (OSError, ValueError):
        return False

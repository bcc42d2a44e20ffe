"""A run's spec and provenance as others may read them: no folder of this machine, no token."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import mtlab
from mtlab.runs.files import read_json
from mtlab.runs.store import RunRecord
from mtlab.secrecy import redacted
from mtlab.spec import RunSpec

_TOLD = (
    "versions", "machine", "device", "decoding_precision", "decoding_backend", "pools",
    "segments", "digests",
    "removed_for_standing_in_the_test_set", "noisy_pairs", "reversed_pairs", "dropped_for_length",
    "training", "seconds", "cpu_seconds", "peak_memory_mb",
)  # fmt: skip
"""What is told of `provenance.json`."""

_MAY_NAME_FILES = (
    "base", "corpus", "test_corpus", "comet_model", "noise.translator", "noise.dictionary",
    "noise.terms",
)  # fmt: skip


def told_spec(spec: RunSpec) -> RunSpec:
    """The spec, files and folders of this machine by their last name alone."""
    changes = {path.replace(".", "__"): told for path, _, told in _files_in(spec)}
    return spec.with_changes(**changes) if changes else spec


def told_text(text: str, spec: RunSpec) -> str:
    """A text that may quote the spec, such as a signature, as it may be read elsewhere."""
    for _, value, told in _files_in(spec):
        if value.startswith(("/", "~")):  # any other says nothing of this machine
            text = text.replace(value, told)
    return redacted(text)


def told_provenance(record: RunRecord) -> dict[str, Any]:
    """What a run was made with and from: versions, digests, counts."""
    known = read_json(record.folder / "provenance.json") or {}
    base = dict(known.get("base") or {})
    if "name" in base:
        base["name"] = without_folders(str(base["name"]))
    told = {name: known[name] for name in _TOLD if name in known}
    return {"mtlab": mtlab.__version__, "run": record.id, "base": base, **told}


def without_folders(text: str) -> str:
    """A value of a spec, as it is unless it names files: then without the folders they lie in."""
    return ",".join(_last(part) for part in text.split(","))


def _files_in(spec: RunSpec) -> Iterator[tuple[str, str, str]]:
    """The fields that name files or folders: path, value, and the value without folders."""
    data = spec.to_json()
    for path in _MAY_NAME_FILES:
        value: Any = data
        for key in path.split("."):
            value = value[key]
        if isinstance(value, str) and (told := without_folders(value)) != value:
            yield path, value, told


def _last(part: str) -> str:
    if part.startswith(("hub:", "run:")) or "://" in part:
        return part
    is_file = part.startswith(("/", "~", ".", "\\")) or part.count("/") > 1
    try:
        is_file = is_file or Path(part).exists()
    except (OSError, ValueError):
        pass
    return Path(part).name or Path(part).resolve().name if is_file else part


def told_json(value: Mapping[str, Any], spec: RunSpec) -> str:
    """Plain values as the text of a file."""
    return told_text(json.dumps(value, ensure_ascii=False, indent=1), spec) + "\n"

"""`provenance.json`: everything needed to make a run again, gathered while it runs."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
from collections.abc import Mapping
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any

from mtlab.presets import Base
from mtlab.runs.files import read_json, write_json

PACKAGES = (
    "torch", "transformers", "peft", "liger-kernel",
    "tokenizers", "safetensors", "sacrebleu", "numpy",
)  # fmt: skip

_SMALL_BYTES = 200_000_000
_EDGE_BYTES = 1_000_000


def record(folder: Path, **facts: Any) -> None:
    """Add facts to a run's provenance; a fact told again replaces the earlier one.

    Raises:
        OSError: it cannot be written.
    """
    path = folder / "provenance.json"
    write_json(path, {**(read_json(path) or {}), **facts})


@lru_cache(maxsize=1)
def versions() -> Mapping[str, str]:
    """The versions of what the numbers depend on; read once per process."""
    found = {}
    for name in PACKAGES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def machine() -> dict[str, Any]:
    """The machine, without its name."""
    return {"cpu": platform.machine(), "cores": os.cpu_count(), "system": platform.system()}


def digest(value: Any) -> str:
    """SHA-256 of a JSON value."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def model_digest(base: Base, revision: str | None) -> str:
    """What tells a base model's content: the hub's commit, or a SHA-256 over a folder's files.

    Where adapters are merged in, the SHA-256 of both. Of files above 200 MB only size, beginning
    and end are read.
    """
    own = f"{base.repo}@{revision}" if base.path is None else folder_digest(base.path)
    return digest([own, *map(folder_digest, base.adapters)]) if base.adapters else own


def folder_digest(folder: Path) -> str:
    """What tells the content of a model's folder, as `model_digest` says."""
    sha = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        if path.suffix not in {".safetensors", ".json", ".model", ".txt"} or not path.is_file():
            continue
        size = path.stat().st_size
        sha.update(f"{path.name}:{size}\n".encode())
        with path.open("rb") as file:
            if size <= _SMALL_BYTES:
                sha.update(hashlib.file_digest(file, "sha256").digest())
            else:
                sha.update(file.read(_EDGE_BYTES))
                file.seek(size - _EDGE_BYTES)
                sha.update(file.read(_EDGE_BYTES))
    return sha.hexdigest()

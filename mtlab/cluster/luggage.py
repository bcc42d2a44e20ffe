"""What a run takes along to a node: its own files, and what its spec names of this machine.

Models and data sets of the hub, and WMT's test sets, do not travel: a node fetches them itself.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mtlab.corpora import corpus_names
from mtlab.corpora.own import paths_of, split_name
from mtlab.errors import InputError
from mtlab.methods import OUTPUTS
from mtlab.presets import BASES, RUN
from mtlab.runs.needs import ID
from mtlab.runs.placement import FILE as PLACEMENT
from mtlab.runs.settling import is_complete_checkpoint
from mtlab.runs.store import RunRecord, RunStore
from mtlab.spec import RunSpec

_STAYS = ("status.json", "stop.json", "job.log", "spec.json", PLACEMENT)
_OF_A_MODEL = ("status.json", "provenance.json", "trained.json", "adapter", "model")
_digests: dict[tuple[str, int, int], str] = {}


@dataclass(frozen=True)
class Item:
    """One file.

    Attributes:
        name: its path within its folder.
        source: the file, or what it holds.
        size: in bytes.
        sha256: of its content.
    """

    name: str
    source: Path | bytes
    size: int
    sha256: str

    @classmethod
    def of(cls, name: str, source: Path | bytes) -> Item:
        """A file as it is now."""
        if isinstance(source, bytes):
            return cls(name, source, len(source), hashlib.sha256(source).hexdigest())
        return cls(name, source, source.stat().st_size, file_digest(source))


@dataclass(frozen=True)
class Folder:
    """Files that several runs may rest on; a node keeps them under their content's digest.

    Attributes:
        content: the digest.
        items: what is in it.
        run: the run whose folder it is; None where it is none.
    """

    content: str
    items: tuple[Item, ...]
    run: str | None = None


@dataclass
class Luggage:
    """All that a run takes along.

    Attributes:
        own: what lies in its folder.
        shared: folders beside it.
        places: what a path on the node is called here.
    """

    own: tuple[Item, ...] = ()
    shared: list[Folder] = field(default_factory=list)
    places: dict[str, str] = field(default_factory=dict)


def check_travels(spec: RunSpec) -> None:
    """Refuse a spec that names what cannot be sent to a node.

    Raises:
        InputError: says which field, and what to do.
    """
    if spec.base.startswith(OUTPUTS):
        raise InputError(
            "a file of outputs is scored where it lies",
            field="base",
            fix="leave out --executor for it: nothing is trained",
        )
    translator = spec.noise.translator if spec.noise.active else None
    for name, value in (("base", spec.base), ("noise.translator", translator or "")):
        if "{" in value and value.startswith(("/", ".", "~")):
            raise InputError(
                "folders with languages in their name cannot be sent to a node",
                field=name,
                fix="name a model of the hub, or one folder",
            )
    if Path(spec.comet_model).expanduser().exists():
        raise InputError(
            "a COMET model in a file of this machine cannot be sent to a node",
            field="comet_model",
            fix="name one of the hub",
        )


def pack(record: RunRecord, store: RunStore, root: str) -> Luggage:
    """What a run takes along.

    Args:
        record: the run.
        store: where it, and the runs that it names, are.
        root: the node's scratch folder.

    Raises:
        InputError: it names what cannot be sent.
        OSError: a file cannot be read.
    """
    luggage = Luggage()
    spec = _packed_spec(record.spec, store, root, luggage)
    translator = record.spec.noise.translator if record.spec.noise.active else None
    if translator is not None and ID.fullmatch(translator.strip().removeprefix(RUN)):
        _pack_run(translator.strip().removeprefix(RUN), store, root, luggage)
    own = [Item.of("spec.json", _json(spec.to_json()))]
    newest = _newest_checkpoint(record.folder)
    for path in _files(record.folder):
        name = path.relative_to(record.folder).as_posix()
        top = name.partition("/")[0]
        if name in _STAYS or (top.startswith("checkpoint-") and top != newest):
            continue
        # What grows while it is sent is sent as it is at one moment.
        own.append(Item.of(name, path.read_bytes() if name.endswith(".jsonl") else path))
    luggage.own = tuple(own)
    return luggage


def _packed_spec(spec: RunSpec, store: RunStore, root: str, luggage: Luggage) -> RunSpec:
    """The spec with the node's paths in it; what they mean goes into the luggage."""
    check_travels(spec)
    changes: dict[str, Any] = {}
    base = spec.base.strip()
    if base.startswith(RUN):
        _pack_run(base.removeprefix(RUN).strip(), store, root, luggage)
    elif base.lower() not in BASES and Path(base).expanduser().is_dir():
        changes["base"] = _pack_folder(Path(base).expanduser(), root, luggage)
    for name in ("corpus", "test_corpus"):
        value = getattr(spec, name)
        if value and value not in dict(corpus_names()) and not value.startswith("hub:"):
            changes[name] = _pack_corpus(value, root, luggage)
    if spec.noise.active:
        if spec.noise.dictionary:
            file, direction = split_name(spec.noise.dictionary)
            there = _pack_files([Path(file).expanduser()], root, luggage)[0]
            changes["noise__dictionary"] = f"{there}:{direction}" if direction else there
        if spec.noise.terms:
            changes["noise__terms"] = _pack_files([Path(spec.noise.terms)], root, luggage)[0]
        translator = (spec.noise.translator or "").strip()
        folder = Path(translator.removeprefix("base:")).expanduser()
        if translator and translator.lower() not in BASES and folder.is_dir():
            prefix = "base:" if translator.startswith("base:") else ""
            changes["noise__translator"] = prefix + _pack_folder(folder, root, luggage)
    return spec.with_changes(**changes) if changes else spec


def _pack_run(run: str, store: RunStore, root: str, luggage: Luggage) -> None:
    """What another run has made, and what that rests on."""
    if any(folder.run == run for folder in luggage.shared):
        return
    record = store.get(run)
    spec = _packed_spec(record.spec, store, root, luggage)
    items = [Item.of("spec.json", _json(spec.to_json()))]
    for path in _files(record.folder):
        name = path.relative_to(record.folder).as_posix()
        if name.partition("/")[0] in _OF_A_MODEL:
            items.append(Item.of(name, path))
    luggage.shared.append(Folder(_content(items), tuple(items), run))


def _pack_folder(folder: Path, root: str, luggage: Luggage) -> str:
    items = [Item.of(path.relative_to(folder).as_posix(), path) for path in _files(folder)]
    return _put(items, {"": str(folder)}, root, luggage)


def _pack_corpus(name: str, root: str, luggage: Luggage) -> str:
    _, direction = split_name(name)
    there = ",".join(_pack_files(paths_of(name), root, luggage))
    return f"{there}:{direction}" if direction else there


def _pack_files(paths: Iterable[Path], root: str, luggage: Luggage) -> list[str]:
    files = [path.absolute() for path in paths]
    names = [f"{number}/{path.name}" for number, path in enumerate(files)]
    items = [Item.of(name, path) for name, path in zip(names, files, strict=True)]
    here = {name: str(path) for name, path in zip(names, files, strict=True)}
    there = _put(items, here, root, luggage)
    return [f"{there}/{name}" for name in names]


def _put(items: list[Item], here: Mapping[str, str], root: str, luggage: Luggage) -> str:
    """Add a folder; its path on the node."""
    content = _content(items)
    there = f"{root}/shared/{content}"
    luggage.places |= {f"{there}/{name}".rstrip("/"): path for name, path in here.items()}
    if all(folder.content != content for folder in luggage.shared):
        luggage.shared.append(Folder(content, tuple(items)))
    return there


def at_home(text: str, places: Mapping[str, str]) -> str:
    """A text from a node with the paths as they are here."""
    for there in sorted(places, key=len, reverse=True):
        text = text.replace(there, places[there])
    return text


def file_digest(path: Path) -> str:
    """The SHA-256 of a file, worked out once as long as it does not change."""
    facts = path.stat()
    key = (str(path), facts.st_mtime_ns, facts.st_size)
    if key not in _digests:
        with open(path, "rb") as file:
            _digests[key] = hashlib.file_digest(file, "sha256").hexdigest()
    return _digests[key]


def _files(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )


def _newest_checkpoint(folder: Path) -> str | None:
    found = [one for one in folder.glob("checkpoint-*") if is_complete_checkpoint(one)]
    newest = max(found, key=lambda one: int(one.name.partition("-")[2]), default=None)
    return newest.name if newest is not None else None


def _content(items: list[Item]) -> str:
    text = "\n".join(f"{item.name}\t{item.sha256}" for item in items)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def _json(value: Mapping[str, Any]) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode()

"""The folder that is pushed: weights, model card, spec, provenance, scores and findings.

No sentence of the data goes in: not all of it may be given on. Where it came from, and the digests
that tell it, do.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from mtlab.errors import InputError
from mtlab.models.load import saved_model
from mtlab.results.evidence import Evidence
from mtlab.results.findings import Finding, findings
from mtlab.results.reading import read_scores
from mtlab.runs.files import read_json, writing
from mtlab.runs.store import RunRecord
from mtlab.settings import Settings
from mtlab.sharing.card import Shared, card_for
from mtlab.sharing.loading import BASE_FOLDER, Weights
from mtlab.sharing.merging import merge_into, new_folder
from mtlab.sharing.origin import Origin, origin_of
from mtlab.sharing.scores import told_scores
from mtlab.sharing.telling import told_json, told_provenance, told_spec, told_text

Wanted = Literal["own", "merged"]
"""What is asked for: what the run saved, or its adapter merged into the base."""

MARK = "mtlab/provenance.json"
"""By this file a repository is known to be a run's."""

Put = Callable[[Path, Path], None]
"""Puts a file of weights, which are large, into the package."""

_GIVEN_ON = {".safetensors", ".json", ".model", ".txt", ".jinja"}


@dataclass(frozen=True)
class Package:
    """A folder that can be pushed.

    Attributes:
        folder: where it lies.
        run: the run's id.
        weights: what is in it.
        files: paths within it, each with its bytes.
    """

    folder: Path
    run: str
    weights: Weights
    files: tuple[tuple[str, int], ...]

    @property
    def bytes(self) -> int:
        """All of it."""
        return sum(size for _, size in self.files)


def weights_of(record: RunRecord, wanted: Wanted, settings: Settings) -> Weights:
    """What would be pushed of a finished run.

    Raises:
        InputError: an adapter alone, whose base nobody else has.
    """
    if wanted == "merged":
        return "merged"
    if saved_model(record.folder).name == "model":
        return "model"
    origin = origin_of(record.spec, record.folder, settings)
    if origin.runs:
        why = f"it was trained on what run '{origin.runs[0]}' made"
    elif origin.base.path is not None and not origin.is_bundled:
        why = "its base is a folder of this machine"
    else:
        return "adapter"
    raise InputError(
        f"the adapter of run '{record.id}' alone is of no use to others",
        field="--merged",
        why=why,
        fix="push base and adapter as one, with --merged",
    )


@contextmanager
def packed(record: RunRecord, name: str, weights: Weights, settings: Settings) -> Iterator[Package]:
    """A package that is there as long as it is needed; arguments and errors as `pack`."""
    with writing(settings.cache):
        settings.cache.mkdir(parents=True, exist_ok=True)
        held = TemporaryDirectory(dir=settings.cache, prefix="push-")
    with held:
        folder = Path(held.name) / name.replace("/", "--")
        yield _pack(record, name, weights, settings, folder, _linked)


def pack(
    record: RunRecord, name: str, weights: Weights, settings: Settings, folder: Path
) -> Package:
    """Put a package together.

    Args:
        record: a finished run.
        name: OWNER/NAME, under which it is going to be found.
        weights: what is pushed, as `weights_of` says.
        settings: the lab's.
        folder: to be made; it appears whole, or not at all.

    Raises:
        InputError: the folder is there and not empty.
        NotAvailable: it cannot be written, or merging changed the translations.
    """
    folder = folder.expanduser().absolute()
    return _pack(record, name, weights, settings, folder, _copied)


def _pack(
    record: RunRecord, name: str, weights: Weights, settings: Settings, folder: Path, put: Put
) -> Package:
    origin = origin_of(record.spec, record.folder, settings)
    with new_folder(folder) as part:
        if weights == "merged":
            merge_into(part, record, settings)
        else:
            _give_on(saved_model(record.folder), part, put)
        if weights == "adapter":
            _mend_adapter(part / "adapter_config.json", origin)
            if origin.is_bundled and origin.base.path is not None:
                _give_on(origin.base.path, part / BASE_FOLDER, put)
                shutil.copyfile(origin.base.path / "README.md", part / BASE_FOLDER / "README.md")
        else:
            _mend_config(part / "config.json")
        found = findings_of(record, settings)
        shared = Shared(name, record, weights, origin, tuple(found), settings)
        card = told_text(str(card_for(shared)), record.spec)
        (part / "README.md").write_text(card, encoding="utf-8")
        _tell(part / "mtlab", record, found)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    sizes = tuple((path.relative_to(folder).as_posix(), path.stat().st_size) for path in files)
    return Package(folder, record.id, weights, sizes)


def findings_of(record: RunRecord, settings: Settings) -> list[Finding]:
    """What a run by itself shows: itself against its untuned base."""
    metrics = {score.metric for score in told_scores(record.folder)}
    chosen = [metric for metric in ("bleu", "chrf", "comet") if metric in metrics]
    return findings([Evidence(record.id, record.spec, record.folder)], settings, chosen)


def _give_on(source: Path, target: Path, put: Put) -> None:
    """A model's files, by their kind."""
    target.mkdir(exist_ok=True)
    for path in sorted(source.iterdir()):
        if path.suffix in _GIVEN_ON and path.is_file():
            place = put if path.suffix == ".safetensors" else _copied
            place(path, target / path.name)


def _copied(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)


def _linked(source: Path, target: Path) -> None:
    """The same file under another name, for as long as it is pushed; a copy on another disk."""
    try:
        os.link(source.resolve(), target)
    except OSError:
        _copied(source, target)


def _mend_adapter(path: Path, origin: Origin) -> None:
    """Name the base as others find it; a run's adapter names a folder of this machine."""
    config = read_json(path) or {}
    config["base_model_name_or_path"] = origin.base.repo
    config["revision"] = origin.revision
    _write(path, config)


def _mend_config(path: Path) -> None:
    config = read_json(path) or {}
    if config.pop("_name_or_path", None) is not None:
        _write(path, config)


def _write(path: Path, config: dict[str, Any]) -> None:
    path.write_text(json.dumps(config, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _tell(folder: Path, record: RunRecord, found: list[Finding]) -> None:
    folder.mkdir()
    spec = record.spec
    texts = {
        "spec.yaml": told_text(told_spec(spec).to_yaml(), spec),
        Path(MARK).name: told_json(told_provenance(record), spec),
        "scores.json": told_json(read_scores(record.folder), spec),
        "findings.json": told_json({"findings": [one.to_json() for one in found]}, spec),
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")

"""The base under a run, through all the runs that it went on from, and the base's licence."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mtlab.presets import BASES, RUN, Base, resolve_base
from mtlab.runs.files import read_json
from mtlab.settings import Settings
from mtlab.spec import RunSpec

_HUB_LICENCES = {
    "Apache-2.0": "apache-2.0",
    "Llama 2 Community License": "llama2",
    "Llama 3.2 Community License": "llama3.2",
    "Gemma Terms of Use": "gemma",
    "BigScience RAIL 1.0": "bigscience-bloom-rail-1.0",
}
"""Licences as the hub names them; any other is `other`, with its name beside it."""


@dataclass(frozen=True)
class Origin:
    """Where a run's weights begin.

    Attributes:
        base: a preset, a model of the hub or a folder; never a run.
        revision: of a hub model, where one is known.
        runs: ids of the runs that lie between, the latest first.
    """

    base: Base
    revision: str | None
    runs: tuple[str, ...] = ()

    @property
    def is_bundled(self) -> bool:
        """Whether it comes with mtlab."""
        return self.base.path is not None and self.base.name in BASES

    @property
    def title(self) -> str:
        """For people, without this machine's folders."""
        if self.base.repo is not None:
            return self.base.repo
        return self.base.name if self.is_bundled else self.base.title


@dataclass(frozen=True)
class Licence:
    """A base's licence in the words of the hub's model cards.

    Attributes:
        id: such as `apache-2.0`, or `other`.
        name: of `other`.
    """

    id: str
    name: str | None = None


def origin_of(spec: RunSpec, folder: Path, settings: Settings) -> Origin:
    """Follow a run to its base.

    Args:
        spec: the run's.
        folder: the run's, whose provenance knows the base's commit.
        settings: the lab's.

    Raises:
        InputError: a run that it went on from is gone.
    """
    runs: list[str] = []
    while spec.base.startswith(RUN):
        run = Path(spec.base.removeprefix(RUN).strip()).name
        resolve_base(spec.base, settings)  # says what is wrong where it is gone
        runs.append(run)
        folder = settings.runs / run
        spec = RunSpec.from_json(read_json(folder / "spec.json") or {})
    base = resolve_base(spec.base, settings)
    told = (read_json(folder / "provenance.json") or {}).get("base") or {}
    known = told.get("revision") if base.repo is not None else None
    return Origin(base, known or spec.revision or base.revision, tuple(runs))


def licence_of(base: Base) -> Licence | None:
    """A base's licence, as its own card or the lab's list of presets has it; None if neither does.

    A person's own folder is asked, a model of the hub is not: its page says it better.
    """
    if base.path is not None and (base.path / "README.md").is_file():
        from huggingface_hub import ModelCard

        try:
            card = ModelCard.load(base.path / "README.md", ignore_metadata_errors=True)
            found = card.data.get("license")
        except (OSError, ValueError):
            found = None
        if isinstance(found, str):
            return Licence(found, card.data.get("license_name"))
    if not base.licence:
        return None
    known = _HUB_LICENCES.get(base.licence)
    return Licence(known) if known else Licence("other", base.licence)

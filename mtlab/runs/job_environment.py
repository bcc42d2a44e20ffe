"""Which of this process's variables a run's process is given: not its secrets."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mtlab.corpora.hub import PREFIX
from mtlab.presets import BASES, RUN
from mtlab.runs.files import read_json
from mtlab.secrecy import without_secrets

ALLOCATING = {"PYTORCH_ALLOC_CONF": "expandable_segments:True"}
"""Batches of ever other sizes would leave a GPU's memory full of gaps."""


def environment_of_job(folder: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """The variables for the run in a folder: of all secrets the hub's token alone, and that only
    where the run asks the hub for something.
    """
    return environment_for_spec(read_json(folder / "spec.json") or {}, environment)


def environment_for_spec(spec: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, str]:
    """The same for a run that is not written down yet, from its plain values."""
    return ALLOCATING | without_secrets(environment, hub=asks_the_hub(spec))


def asks_the_hub(spec: Mapping[str, Any]) -> bool:
    """Whether a run may ask the hub: for its base, its corpus, its translator or COMET.

    Args:
        spec: its plain values.
    """
    base = str(spec.get("base", ""))
    bundled = base.lower() in BASES and BASES[base.lower()].path is not None
    if not bundled and (base.startswith(RUN) or not Path(base).is_dir()):
        return True  # what a run goes on from may rest on a base of the hub
    if any(str(spec.get(name) or "").startswith(PREFIX) for name in ("corpus", "test_corpus")):
        return True
    noise = spec.get("noise") or {}
    return bool(noise.get("translator")) or "comet" in spec.get("metrics", ())

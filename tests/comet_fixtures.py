"""Fixtures for what needs COMET: its environment and two tiny real checkpoints."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from mtlab.scoring.comet_env import find_env
from mtlab.settings import Settings
from tests.comet_checkpoints import PAIRS, TinyComet

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def comet_settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings with COMET's environment, which the tests need and never go without."""
    home = tmp_path_factory.mktemp("home")
    settings = replace(Settings.from_environment(), home=home, offline=True)
    if settings.comet_python is None and "MTLAB_COMET_ENV" not in os.environ:
        settings = replace(settings, comet_env=ROOT / ".venv-comet")
    if find_env(settings) is None:
        pytest.fail(
            f"COMET's environment is not built in {settings.comet_env}: "
            "run `python -m mtlab.scoring.comet_env`, or `make test`, which does",
            pytrace=False,
        )
    return settings


@pytest.fixture(scope="session")
def tiny_comet(comet_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> TinyComet:
    """Tiny real checkpoints, built by unbabel-comet in its own environment."""
    folder = tmp_path_factory.mktemp("tiny-comet")
    sources = [source for source, _ in PAIRS] + [PAIRS[0][0]]
    references = [reference for _, reference in PAIRS] + [PAIRS[0][1]]
    systems = {
        "copy of the reference": references,
        "every other word": [" ".join(text.split()[::2]) for text in references],
        "nonsense": ["".join(sorted(text)) for text in references],
        "nothing": ["" for _ in references],
    }
    samples = [
        {"src": source, "mt": hypothesis, "ref": reference}
        for hypotheses in systems.values()
        for source, hypothesis, reference in zip(sources, hypotheses, references, strict=True)
    ]
    python = find_env(comet_settings)
    subprocess.run(
        [str(python), "-I", str(Path(__file__).with_name("tiny_comet.py")), str(folder)],
        input=json.dumps({"pairs": PAIRS, "samples": samples}),
        encoding="utf-8",
        check=True,
        capture_output=True,
    )
    return TinyComet(folder / "regression", folder / "unified", sources, references, systems)

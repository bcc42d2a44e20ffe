"""What the environment decides: where things lie and what this lab allows."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mtlab.errors import InputError

ASSETS = Path(__file__).resolve().parent.parent / "assets"


@dataclass(frozen=True)
class Settings:
    """The lab's settings, read once from `MTLAB_*`.

    Attributes:
        home: where `lab.db` and `runs/` lie (`MTLAB_HOME`).
        comet_python: an interpreter that has unbabel-comet, used as it is (`MTLAB_COMET_PYTHON`).
        comet_env: where the COMET environment is built otherwise (`MTLAB_COMET_ENV`).
        threads: CPU threads a run may use (`MTLAB_THREADS`); 0 means all cores.
        max_upload_mb: the largest file a person may bring, in MB (`MTLAB_MAX_UPLOAD_MB`).
        offline: never ask a model hub (`HF_HUB_OFFLINE`, as the hub's own library reads it).
    """

    home: Path
    comet_python: Path | None
    comet_env: Path
    threads: int = 0
    max_upload_mb: int = 50
    offline: bool = False

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Read the settings.

        Raises:
            InputError: a number that is not one.
        """
        env = os.environ if environment is None else environment
        home = Path(env.get("MTLAB_HOME") or Path.home() / ".mtlab").expanduser().absolute()
        python = env.get("MTLAB_COMET_PYTHON")
        return cls(
            home=home,
            comet_python=Path(python).expanduser() if python else None,
            comet_env=Path(env.get("MTLAB_COMET_ENV") or home / "comet-env").expanduser(),
            threads=_whole_number(env, "MTLAB_THREADS", 0),
            max_upload_mb=_whole_number(env, "MTLAB_MAX_UPLOAD_MB", 50),
            offline=env.get("HF_HUB_OFFLINE", "").lower() in {"1", "true", "yes", "on"},
        )

    @property
    def runs(self) -> Path:
        """The folder that holds one folder per run."""
        return self.home / "runs"

    @property
    def cache(self) -> Path:
        """What can be made again: base-model translations and scores, lexicons, embeddings."""
        return self.home / "cache"


def _whole_number(env: Mapping[str, str], name: str, default: int) -> int:
    text = env.get(name)
    if not text:
        return default
    try:
        value = int(text)
    except ValueError:
        value = -1
    if value < 0:
        raise InputError(f"'{text}' is not a whole number", field=name, fix="give 0 or more")
    return value

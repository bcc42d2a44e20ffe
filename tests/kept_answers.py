"""What nano says untuned to the default run's test sentences, found once for a whole test session.

It takes longer than all the rest of such a run, and every empty home would find it again. A home
that gives is empty to begin with and does the whole of it; one that takes has the answers in its
cache (`mtlab.runs.base_cache`, whose names say all that decides them) before its first run.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path


class KeptAnswers:
    """A folder that the homes of all workers give to and take from."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def take(self, home: Path) -> None:
        """Put what other homes have given into the cache of an empty home."""
        if self._folder.is_dir():
            shutil.copytree(self._folder, _cache(home), ignore=shutil.ignore_patterns("*.tmp"))

    def give(self, home: Path) -> None:
        """Keep what a home has found."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for path in _cache(home).glob("*.json"):
            part = self._folder / f"{path.name}.{os.getpid()}.tmp"
            shutil.copyfile(path, part)
            part.replace(self._folder / path.name)  # another worker never takes half a file


def _cache(home: Path) -> Path:
    return home / "cache" / "base"

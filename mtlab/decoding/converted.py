"""Models in the form that another decoder reads: made once, kept on disk, within bounds."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

MOST_BYTES = 8_000_000_000
"""What a folder of them may take; the one used last stays even where it alone takes more."""


class ConvertedModels:
    """The converted models in a folder, which may be removed at any time.

    Any number of processes may use the same folder.

    Args:
        folder: where they lie; made when the first is.
        most_bytes: what they may take together.
    """

    def __init__(self, folder: Path, most_bytes: int = MOST_BYTES) -> None:
        self._folder = folder
        self._most = most_bytes

    def get(self, key: str, make: Callable[[Path], None]) -> Path:
        """The folder of a model, made if it is not there; it appears whole, or not at all.

        Args:
            key: tells the model and its form.
            make: writes it into a folder that is not there yet.

        Raises:
            OSError: it cannot be written.
        """
        path = self._folder / key
        if not path.is_dir():
            self._folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=self._folder, prefix=".new-") as part:
                whole = Path(part) / "model"
                make(whole)
                with contextlib.suppress(OSError):  # another process was faster: the same model
                    whole.rename(path)
        os.utime(path)
        self._make_room(path)
        return path

    def _make_room(self, used: Path) -> None:
        """Remove the models that were used least recently, until the rest are within the bound."""
        kept = [path for path in self._folder.iterdir() if not path.name.startswith(".")]
        with contextlib.suppress(FileNotFoundError):  # another process removes the same
            sizes = {path: _size(path) for path in kept}
            for path in sorted(kept, key=lambda path: path.stat().st_mtime):
                if sum(sizes.values()) <= self._most:
                    return
                if path != used:
                    del sizes[path]
                    shutil.rmtree(path, ignore_errors=True)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())

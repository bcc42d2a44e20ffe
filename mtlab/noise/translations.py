"""What was translated before, by content: translator, direction and text.

One file per translator and direction in the cache folder, a JSON line per text, added to batch by
batch so that what was interrupted is not lost. It may be deleted at any time.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Mapping

from mtlab.settings import Settings
from mtlab.spec import Direction


class Translations:
    """The kept translations of one translator in one direction.

    Args:
        settings: where the cache lies.
        identity: the translator's.
        direction: from which language into which.
    """

    def __init__(self, settings: Settings, identity: str, direction: Direction) -> None:
        name = hashlib.sha256(f"{identity}\x1f{direction}".encode()).hexdigest()[:24]
        self._path = settings.cache / "translations" / f"{direction}-{name}.jsonl"
        self._known = self._read()

    def __contains__(self, text: str) -> bool:
        return text in self._known

    def get(self, text: str) -> str:
        """The translation of a text; "" where there is none."""
        return self._known.get(text, "")

    def add(self, translations: Mapping[str, str]) -> None:
        """Keep more; what cannot be written (a full disk) is translated again next time."""
        self._known.update(translations)
        lines = [
            json.dumps({"source": source, "translation": text}, ensure_ascii=False) + "\n"
            for source, text in translations.items()
        ]
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("ab+") as file:
                if file.tell() and file.seek(-1, os.SEEK_END) and file.read(1) != b"\n":
                    lines.insert(0, "\n")  # a torn line before them does not take them along
                file.write("".join(lines).encode())

    def _read(self) -> dict[str, str]:
        """All whole lines; one that was cut off is passed over."""
        known: dict[str, str] = {}
        try:
            data = self._path.read_bytes()
        except OSError:
            return known
        for line in data.split(b"\n"):
            with contextlib.suppress(ValueError, KeyError, TypeError):
                row = json.loads(line)
                source, text = row["source"], row["translation"]
                if isinstance(source, str) and isinstance(text, str):
                    known[source] = text
        return known

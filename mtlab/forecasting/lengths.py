"""How many tokens texts have, counted with the base model's own tokenizer, without transformers."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from mtlab.presets import Base
from mtlab.settings import Settings

_LETTERS_A_TOKEN = 3.0
"""Where no tokenizer is at hand; in most languages it is a little more, so this errs upwards."""


class Lengths:
    """Counts tokens for one base model.

    Args:
        base: whose tokenizer; nothing is fetched for it.
        settings: the lab's.
    """

    def __init__(self, base: Base, settings: Settings) -> None:
        self._file = _tokenizer_file(base)

    def of(self, text: str) -> int:
        """The tokens of a text, without marks."""
        if self._file is None:
            return round(len(text) / _LETTERS_A_TOKEN)
        return _count(self._file, text)


@lru_cache(maxsize=50_000)
def _count(file: Path, text: str) -> int:
    # One text at a time: a batch would be counted by threads, which a fork complains about.
    return len(_tokenizer(file).encode(text, add_special_tokens=False).ids)


@lru_cache(maxsize=2)
def _tokenizer(file: Path) -> Any:
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(file))


def _tokenizer_file(base: Base) -> Path | None:
    if base.path is not None:
        file = base.path / "tokenizer.json"
        return file if file.is_file() else None
    if base.repo is None:
        return None
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(base.repo, "tokenizer.json", revision=base.revision)
    return Path(found) if isinstance(found, str) else None

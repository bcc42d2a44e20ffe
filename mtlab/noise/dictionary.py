"""A bilingual dictionary file in the MUSE format, as a lexicon.

A word and its translation on each line, between them a space or a tab; a word on several lines has
several translations, the first being the usual one (Conneau et al. 2018, "Word Translation Without
Parallel Data", whose 110 dictionaries are `de-en.txt` and the like).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from mtlab.corpora.own import split_name
from mtlab.errors import InputError
from mtlab.noise.lexicon import Lexicon
from mtlab.spec import Direction

FIELD = "noise.dictionary"
_SHOWN = 40


def dictionary(name: str, direction: Direction) -> Lexicon:
    """The lexicon of a direction from a file.

    Args:
        name: `FILE:de-en`, or a FILE whose name says its direction (`de-en.txt`); either serves
            both ways. Any other file is read as it stands, from its first column into its second.
            `{source}` and `{target}` in it stand for the codes of the direction that is needed.
        direction: the one that is needed.

    Raises:
        InputError: no such file, a line that is no entry, or a dictionary of other languages.
    """
    path, given = _placed(name, direction)
    if given not in (None, direction, direction.reversed()):
        raise InputError(
            f"the dictionary '{path.name}' is {given}, and {direction} is needed",
            field=FIELD,
            fix="give one of these languages; {source}-{target} in its name stands for several",
        )
    entries = _entries(path, _stamp(path), given == direction.reversed())
    words = frozenset(entries) if direction.source == "zh" else frozenset()
    return Lexicon(direction, entries, words)


def check_dictionary(name: str, needed: Sequence[Direction]) -> None:
    """Read it for every direction that is needed.

    Raises:
        InputError: as `dictionary`; or it does not say which way it goes, and both are needed.
    """
    for direction in needed:
        path, given = _placed(name, direction)
        dictionary(name, direction)
        if given is None and len(needed) > 1 and "{" not in name:
            raise InputError(
                f"'{path.name}' does not say which way it goes, and "
                f"{' and '.join(map(str, needed))} are needed",
                field=FIELD,
                fix=f"write {name}:{needed[0]}",
            )


def _placed(name: str, direction: Direction) -> tuple[Path, Direction | None]:
    """The file, and its own direction where that is said."""
    name = name.replace("{source}", direction.source).replace("{target}", direction.target)
    file, given = split_name(name)
    path = Path(file).expanduser()
    if given is None:
        found = re.match(r"([a-z]{2})-([a-z]{2})(?![a-z])", path.name)
        if found:
            try:
                given = Direction.parse(found[0])
            except InputError:
                given = None  # the name only looks like one
    return path, given


def _unreadable(path: Path, error: OSError) -> InputError:
    return InputError(
        f"the dictionary '{path}' cannot be read",
        field=FIELD,
        why=error.strerror,
        fix="check the path",
    )


def _stamp(path: Path) -> tuple[int, int]:
    """What changes when the file does."""
    try:
        stat = path.stat()
    except OSError as error:
        raise _unreadable(path, error) from None
    return stat.st_mtime_ns, stat.st_size


@lru_cache(maxsize=8)
def _entries(path: Path, stamp: tuple[int, int], backwards: bool) -> dict[str, str]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise _unreadable(path, error) from None
    except UnicodeDecodeError:
        raise InputError(
            f"the dictionary '{path.name}' is not UTF-8", field=FIELD, fix="save it as UTF-8"
        ) from None
    entries: dict[str, str] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        cells = [cell.strip() for cell in (line.split("\t") if "\t" in line else line.split())]
        if len(cells) != 2 or not all(cells):
            shown = line.strip()[:_SHOWN]
            raise InputError(
                f"line {number} of '{path.name}' is no dictionary entry: '{shown}'",
                field=FIELD,
                fix="write a word and its translation, with a space or a tab between",
            )
        word, translation = reversed(cells) if backwards else cells
        entries.setdefault(word.lower(), translation)
    if not entries:
        raise InputError(
            f"the dictionary '{path.name}' is empty", field=FIELD, fix="give one with entries"
        )
    return entries

"""The files of a corpus folder: pairs of sentences by line, and the groups that are held out."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from mtlab.errors import InputError
from mtlab.languages import LANGUAGES

Group = Mapping[str, str]
"""The same sentence by language code."""

ISO_639_3 = {
    "ces": "cs", "cmn": "zh", "dan": "da", "deu": "de", "eng": "en", "fin": "fi", "fra": "fr",
    "hau": "ha", "hrv": "hr", "isl": "is", "ita": "it", "jpn": "ja", "nld": "nl", "pol": "pl",
    "por": "pt", "rus": "ru", "slk": "sk", "spa": "es", "swe": "sv", "ukr": "uk", "zho": "zh",
}  # fmt: skip
"""ISO 639-3 codes of the languages the lab knows, to its own (ISO 639-1) codes."""

_NAME = re.compile(r"([a-z]{2,3})-([a-z]{2,3})\.tsv(\.gz)?")


@dataclass(frozen=True)
class PairFile:
    """A file of pairs, one a line, the two sides separated by a tab.

    Attributes:
        path: the file; `.gz` is unpacked while it is read.
        left: the language of the first column.
        right: the language of the second.
    """

    path: Path
    left: str
    right: str

    def pairs(self) -> Iterator[dict[str, str]]:
        """Every pair, white space made plain; empty lines and further columns are passed over.

        Raises:
            InputError: a line without a tab, or bytes that are not UTF-8.
        """
        try:
            with _open(self.path) as lines:
                for number, line in enumerate(lines, 1):
                    left, tab, right = line.partition("\t")
                    if tab:
                        right = right.partition("\t")[0]
                        yield {self.left: plain(left), self.right: plain(right)}
                    elif line.strip():
                        raise InputError(
                            f"line {number} of {self.path.name} is no pair",
                            field="corpus",
                            fix="separate the two sides by a tab",
                        )
        except UnicodeDecodeError:
            raise InputError(
                f"{self.path.name} is not UTF-8", field="corpus", fix="save it as UTF-8"
            ) from None


def pair_files(folder: Path) -> list[PairFile]:
    """The pair files of a folder, in the order of their names.

    Raises:
        InputError: no such folder, no pair file in it, or a language the lab does not know.
    """
    if not folder.is_dir():
        raise InputError(
            f"there is no folder {folder}",
            field="corpus",
            fix="name a folder of parallel text, with files like eng-deu.tsv.gz",
        )
    names = [(path, _NAME.fullmatch(path.name)) for path in sorted(folder.iterdir())]
    files = [PairFile(path, *map(_code, match.group(1, 2))) for path, match in names if match]
    if not files:
        raise InputError(
            f"{folder} holds no parallel text",
            field="corpus",
            fix="name its files by two language codes, like eng-deu.tsv or en-de.tsv.gz",
        )
    return files


def held_out(folder: Path) -> list[Group]:
    """The groups of `held_out.json` or `held_out.json.gz` in a folder; none if neither is there.

    Raises:
        InputError: a file that is not a list of groups.
    """
    for path in (folder / "held_out.json", folder / "held_out.json.gz"):
        if not path.exists():
            continue
        with _open(path) as lines:
            groups = json.load(lines)
        if not isinstance(groups, list) or not all(isinstance(group, dict) for group in groups):
            raise InputError(
                f"{path.name} is not a list of groups",
                field="corpus",
                fix='write [{"en": "...", "de": "..."}, ...]',
            )
        return [{code: plain(text) for code, text in group.items()} for group in groups]
    return []


def plain(text: str) -> str:
    """The text with every run of white space as one space."""
    return " ".join(text.split())


def _code(code: str) -> str:
    short = ISO_639_3.get(code, code)
    if short not in LANGUAGES:
        raise InputError(
            f"'{code}' in a file's name is not a language this lab knows",
            field="corpus",
            fix=f"use one of {', '.join(LANGUAGES)}",
        )
    return short


def _open(path: Path) -> IO[str]:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8")
    return path.open(encoding="utf-8")

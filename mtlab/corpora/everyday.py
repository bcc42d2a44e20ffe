"""The bundled corpus: everyday sentences in English, German, French and Icelandic."""

from __future__ import annotations

from pathlib import Path

from mtlab.corpora.multiway import MultiwayCorpus
from mtlab.errors import NotAvailable
from mtlab.settings import ASSETS

FOLDER = ASSETS / "everyday"


def open_everyday(folder: Path = FOLDER) -> MultiwayCorpus:
    """The corpus, all twelve directions among its four languages.

    Raises:
        NotAvailable: the installation lacks its files.
    """
    return MultiwayCorpus(
        name="everyday",
        title="the everyday corpus",
        licence="CC0-1.0",
        train=read_rows(folder / "train.tsv"),
        test=read_rows(folder / "test.tsv"),
    )


def read_rows(path: Path) -> dict[int, dict[str, str]]:
    """The rows of a bundled file by number, each a text by language code.

    Raises:
        NotAvailable: the installation lacks it.
    """
    try:
        lines = path.read_text(encoding="utf-8").rstrip("\n").split("\n")
    except OSError as error:
        raise NotAvailable(
            "the everyday corpus is not here",
            why=f"{path.name}: {error.strerror}",
            fix="install mtlab with its assets folder",
        ) from None
    codes = lines[0].split("\t")
    return {
        number: dict(zip(codes, line.split("\t"), strict=True))
        for number, line in enumerate(lines[1:], start=1)
    }

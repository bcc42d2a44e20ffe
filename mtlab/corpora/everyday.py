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
        train=_rows(folder / "train.tsv"),
        test=_rows(folder / "test.tsv"),
    )


def _rows(path: Path) -> dict[int, dict[str, str]]:
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

"""The paper's own figures, to stand beside a lab's: `assets/paper`, which says where from."""

from __future__ import annotations

import csv
from dataclasses import dataclass

from mtlab.settings import ASSETS

SOURCE = "Zhu et al., EMNLP 2024 (arXiv 2404.14122): Llama-2 7B, WMT22, wmt22-comet-da"


@dataclass(frozen=True)
class Published:
    """A table out of the paper.

    Attributes:
        title: what its numbers are.
        note: what a reader should know.
        header: names of the columns.
        rows: as printed.
    """

    title: str
    note: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def published(question: str) -> Published | None:
    """What the paper printed on a question: `size` or `transfer`; None on others.

    On noise it printed plots alone.
    """
    if question == "size":
        return _read(
            "size.csv",
            "COMET x 100, mean of eleven directions",
            "Reported second-hand, not checked against the paper.",
        )
    if question == "transfer":
        return _read(
            "single_direction.csv",
            "Per cent of the score of the model trained on all directions",
            "Rows: trained on; columns: tested on.",
        )
    return None


def _read(name: str, title: str, note: str) -> Published:
    with open(ASSETS / "paper" / name, encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    return Published(title, note, tuple(header), tuple(tuple(row) for row in rows))

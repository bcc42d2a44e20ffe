"""`partial/*.jsonl`: a stream's hypotheses as batches end, so that a killed run goes on there.

The first line says what was asked, by a SHA-256 over all that decides an answer: the model's
content, the sources, the prompt, how it is decoded and in which number format. Each further line is
a hypothesis and its segment's index. A file that answers another question is never used, and a torn
line, of a process that was killed, counts as not there. The file goes when all of it is written.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from mtlab.runs.files import append_line, read_lines, write_lines

if TYPE_CHECKING:
    from mtlab.decoding import Hypothesis

FOLDER = "partial"


class Partial:
    """What there is of the hypotheses of one or more directions (a `mtlab.decoding.Kept`).

    Args:
        folder: the run's.
        name: of the file: the first direction, and whose answers they are.
        key: what was asked; made of `base_cache.translation_key`.
        count: how many segments there are.
    """

    def __init__(self, folder: Path, name: str, key: str, count: int) -> None:
        self._path = folder / FOLDER / f"{name}.jsonl"
        self._key = key
        self._count = count

    def read(self) -> dict[int, Hypothesis]:
        """The hypotheses that an earlier attempt at the very same has left, by segment."""
        from mtlab.decoding import Hypothesis

        head, *rows = read_lines(self._path) or [{}]
        if head.get("key") != self._key:
            return {}
        found: dict[int, Hypothesis] = {}
        for row in rows:
            index, text = row.pop("index", None), row.get("text")
            if isinstance(text, str) and isinstance(index, int) and 0 <= index < self._count:
                with suppress(TypeError):  # a line of another version
                    found[index] = Hypothesis(**row)
        return found

    def add(self, answers: Mapping[int, Hypothesis]) -> None:
        """Append hypotheses; what answers another question goes first.

        Raises:
            OSError: they cannot be written.
        """
        head = read_lines(self._path)[:1]
        if head != [{"key": self._key}]:
            self._path.parent.mkdir(exist_ok=True)
            write_lines(self._path, [{"key": self._key}])
        for index, answer in answers.items():
            append_line(self._path, {"index": index, **asdict(answer)})

    def drop(self) -> None:
        """All is written elsewhere: forget its parts."""
        self._path.unlink(missing_ok=True)


def drop_partials(folder: Path) -> None:
    """Forget what is left of any parts in a run's folder."""
    shutil.rmtree(folder / FOLDER, ignore_errors=True)

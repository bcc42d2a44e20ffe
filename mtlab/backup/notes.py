"""What people have written down in a home beside its runs: votes, and what sweeps were asked for.

Neither is ever deleted in the lab, so that two states of them are joined and nothing is lost.
"""

from __future__ import annotations

from pathlib import Path

from mtlab.results.votes import Votes
from mtlab.runs.files import FileMark, file_mark, writing
from mtlab.runs.store import RunStore
from mtlab.runs.sweep_book import SweepBook
from mtlab.runs.sweep_entries import Entries


class Copy:
    """A copy of a home's notes, in a folder that nobody else writes to: `votes.jsonl`, `sweeps/`.

    Args:
        folder: where it lies.
    """

    def __init__(self, folder: Path) -> None:
        self.votes = Votes(folder)
        self.entries = Entries(folder / "sweeps")


class Notes:
    """The notes of a home, in which others write as well.

    Args:
        store: the home's runs.
    """

    def __init__(self, store: RunStore) -> None:
        self._settings = store.settings
        self._votes = Votes(store.settings.home)
        self._book = SweepBook(store)

    def mark(self) -> tuple[FileMark | None, ...]:
        """What is another when something was written down; all None when nothing ever was."""
        sweeps = sorted(self._settings.sweeps.glob("*.json"))
        return tuple(map(file_mark, (self._votes.path, *sweeps)))

    def add_to(self, copy: Copy) -> None:
        """Join what is written here into a copy.

        Raises:
            NotAvailable: the copy cannot be written.
        """
        copy.votes.take_in(self._votes.read())
        with writing(copy.entries.folder):
            for entry in self._book.entries():
                copy.entries.take_in(entry)

    def take_in(self, copy: Copy) -> None:
        """Join what a copy holds with what is written here by now.

        Raises:
            NotAvailable: the home cannot be written.
        """
        self._votes.take_in(copy.votes.read())
        self._book.take_in(copy.entries.all())

"""The thread of the app that copies runs away when they end, and brings them back to an empty home.

What it cannot do now it tries again. What is deleted in the lab is deleted there as well: the store
leaves a file for each run that is (`Settings.forgotten`), so that none comes back. Votes and sweeps
are joined with the copy that is there, in either direction.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mtlab.backup.notes import Copy, Notes
from mtlab.backup.places import Place, place_named
from mtlab.errors import MtlabError, NotAvailable
from mtlab.runs.files import cannot_write, file_mark, read_json
from mtlab.runs.needs import ID
from mtlab.runs.status import State, Status
from mtlab.runs.store import RunStore
from mtlab.settings import Settings

KEPT: frozenset[State] = frozenset({"finished", "stopped"})
LOOK_SECONDS = 2.0
AGAIN_SECONDS = 60.0
NOTES_SECONDS = 60.0
"""Votes may come every few seconds; a copy of them is a commit of its own."""


def keeper_for(settings: Settings) -> Keeper | None:
    """The keeper of a home; None where the settings name no place for copies."""
    if not settings.backup:
        return None
    return Keeper(RunStore(settings), place_named(settings.backup))


class Keeper:
    """Copies the runs, votes and sweeps of one home.

    Args:
        store: the home's runs; its own, for it asks in nobody's name.
        place: where the copies lie.
    """

    def __init__(self, store: RunStore, place: Place) -> None:
        self.store = store
        self.place = place
        self.problem: MtlabError | None = None
        """What keeps it from copying; None when all is well."""
        self._copied: dict[str, object] = {}
        self._mark = ""
        self._notes = Notes(store)
        self._notes_mark: object = (None,)  # as where nothing was ever written down
        self._notes_looked = -NOTES_SECONDS
        self._is_open = False
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None
        self._restoring = store.settings.home / "restoring"

    def start(self) -> None:
        """Start the thread, before anything is launched: it looks whether the home is empty."""
        self.look_at_home()
        self._thread = threading.Thread(target=self._loop, name="mtlab-keeper", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread, after the copy at hand."""
        self._ending.set()
        if self._thread is not None:
            self._thread.join()

    def look_at_home(self) -> None:
        """Note down that an empty home is to be filled, also should that be cut short."""
        if not self.store.list():
            self._restoring.touch()

    def round(self) -> None:
        """Bring back, copy and remove what there is to.

        Raises:
            MtlabError: the place, or the home, cannot be used now.
        """
        if not self._is_open:
            self.place.open()
            self._is_open = True
        if self._restoring.exists():
            self._bring_back()
            self._restoring.unlink()
        self._remove_forgotten()
        self._copy_runs()
        if time.monotonic() - self._notes_looked >= NOTES_SECONDS:
            self._copy_notes()
            self._notes_looked = time.monotonic()

    def _copy_runs(self) -> None:
        mark = self.store.mark()
        if mark == self._mark:
            return
        for run, state in self._ended():
            if self._copied.get(run) != state:
                self.place.put(run, self.store.folder(run))
                self._copied[run] = state
        self._mark = mark

    def _copy_notes(self) -> None:
        mark = self._notes.mark()
        if mark == self._notes_mark:
            return
        with self._copy_there() as folder:
            self._notes.add_to(Copy(folder))
            self.place.put_notes(folder)
        self._notes_mark = mark

    @contextmanager
    def _copy_there(self) -> Iterator[Path]:
        """The notes that the place has, in a folder; empty where it has none."""
        with tempfile.TemporaryDirectory(prefix="mtlab-notes-") as scratch:
            folder = Path(scratch) / "notes"
            self.place.fetch_notes(folder)
            folder.mkdir(exist_ok=True)
            yield folder

    def _loop(self) -> None:
        while not self._ending.is_set():
            problem: MtlabError | None = None
            try:
                self.round()
            except MtlabError as error:
                problem = error
            except OSError as error:
                problem = cannot_write(error, self.store.settings.home)
            except Exception as error:  # whatever it was, the next round may go well
                traceback.print_exc()
                problem = NotAvailable("finished runs and votes are not copied", why=repr(error))
            if problem is not None and str(problem) != str(self.problem):
                print(f"mtlab: {problem}", file=sys.stderr, flush=True)
            self.problem = problem
            self._ending.wait(LOOK_SECONDS if problem is None else AGAIN_SECONDS)

    def _ended(self) -> Iterator[tuple[str, object]]:
        """The runs that have ended, each with what is another when its folder has changed."""
        for record in self.store.list():
            status = self.store.written_status(record.id)
            if status is not None and status.state in KEPT:
                yield record.id, self._state(status)

    def _state(self, status: Status) -> object:
        scores = file_mark(self.store.folder(status.id) / "scores.json")
        return status.state, status.ended, scores

    def _bring_back(self) -> None:
        """Fetch the notes, and every run that is not at home, the newest first, each whole."""
        with self._copy_there() as folder:
            self._notes.take_in(Copy(folder))
        runs = self.store.settings.runs
        gone = set(self._forgotten())
        for run in sorted(self.place.runs() - gone, reverse=True):
            if self.store.folder(run).exists():
                continue
            aside = runs / f".new-{run}"
            shutil.rmtree(aside, ignore_errors=True)
            self.place.fetch(run, aside)
            if not _is_run(run, read_json(aside / "status.json")):
                shutil.rmtree(aside, ignore_errors=True)
                continue
            aside.rename(self.store.folder(run))
            status = self.store.written_status(run)
            if status is not None:
                self._copied[run] = self._state(status)

    def _remove_forgotten(self) -> None:
        for run in self._forgotten():
            if not self.store.folder(run).exists():
                self.place.remove(run)
                self._copied.pop(run, None)
            (self.store.settings.forgotten / run).unlink(missing_ok=True)

    def _forgotten(self) -> list[str]:
        """The runs that were deleted since the last round."""
        try:
            names = [path.name for path in self.store.settings.forgotten.iterdir()]
        except FileNotFoundError:
            return []
        return [name for name in names if ID.fullmatch(name)]


def _is_run(run: str, status: object) -> bool:
    return isinstance(status, dict) and status.get("id") == run and status.get("state") in KEPT

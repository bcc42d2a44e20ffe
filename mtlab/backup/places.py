"""Where copies lie: in a folder, or in a private dataset of the hub.

Either holds `runs/ID/` with the files of a run's own folder, without what only a run that goes on
needs (its checkpoints, and whatever is being written), and `notes/` as `mtlab.backup.notes` says.
"""

from __future__ import annotations

import re
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from mtlab.errors import MtlabError, NotAvailable
from mtlab.runs.needs import ID

if TYPE_CHECKING:
    from huggingface_hub import HfApi

RUNS = "runs"
NOTES = "notes"
LEFT_OUT = ("checkpoint-*", ".*", "stop.json")

_PATH = re.compile(r"[/~.]")
_KIND = "dataset"
_PATIENCE = 20  # seconds for the first answer
_LEFTOVER = re.compile(rf"\.(?P<kind>new|old|gone)-(?P<of>{NOTES}|{ID.pattern})(-[0-9a-f]+)?")
_AT_WORK_SECONDS = 3600.0  # what is younger may be another app's


class Place(Protocol):
    """Somewhere else. Every method raises a `NotAvailable` that says why it cannot be done."""

    def open(self) -> None:
        """Make it where it is not there, and see that it may be used."""

    def runs(self) -> set[str]:
        """The ids of the runs that have a copy."""

    def put(self, run: str, folder: Path) -> None:
        """Copy a run's folder, in the place of an older copy; whole or not at all."""

    def fetch(self, run: str, folder: Path) -> None:
        """Copy a run back into a folder that is not there yet."""

    def remove(self, run: str) -> None:
        """Remove a run's copy, if there is one."""

    def put_notes(self, folder: Path) -> None:
        """Copy notes, in the place of older ones; whole or not at all."""

    def fetch_notes(self, folder: Path) -> None:
        """Copy the notes back into a folder that is not there yet; it stays away with none."""


def place_named(name: str) -> Place:
    """The place that `MTLAB_BACKUP` names.

    Args:
        name: a path, or `OWNER/NAME` of a dataset; `Settings` has checked that it is either.
    """
    if _PATH.match(name):
        return FolderPlace(Path(name).expanduser().absolute())
    from huggingface_hub import HfApi

    return DatasetPlace(name, HfApi(library_name="mtlab"))


class FolderPlace:
    """A folder, such as a disk that is mounted.

    Args:
        path: of the folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def open(self) -> None:
        """Make the folder, and see that it can be written."""
        with self._sentences():
            (self.path / RUNS).mkdir(parents=True, exist_ok=True)
            probe = self.path / f".probe-{secrets.token_hex(4)}"
            probe.touch()
            probe.unlink()
            self._tidy()

    def runs(self) -> set[str]:
        """The ids of the runs that have a copy."""
        with self._sentences():
            return {path.name for path in (self.path / RUNS).iterdir() if ID.fullmatch(path.name)}

    def put(self, run: str, folder: Path) -> None:
        """Copy a run aside, then put the copy in its place."""
        self._put(self.path / RUNS / run, folder)

    def put_notes(self, folder: Path) -> None:
        """Copy notes aside, then put the copy in its place."""
        self._put(self.path / NOTES, folder)

    def fetch_notes(self, folder: Path) -> None:
        """Copy the notes back, if there are any."""
        with self._sentences():
            if (self.path / NOTES).exists():
                _copy(self.path / NOTES, folder)

    def _put(self, place: Path, folder: Path) -> None:
        word = secrets.token_hex(4)
        aside, old = (place.with_name(f".{name}-{place.name}-{word}") for name in ("new", "old"))
        try:
            with self._sentences():
                _copy(folder, aside)
                if place.exists():
                    place.rename(old)
                aside.rename(place)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
            shutil.rmtree(old, ignore_errors=True)

    def fetch(self, run: str, folder: Path) -> None:
        """Copy a run back."""
        with self._sentences():
            _copy(self.path / RUNS / run, folder)

    def remove(self, run: str) -> None:
        """Remove a run's copy, if there is one."""
        with self._sentences():
            place = self.path / RUNS / run
            if place.exists():
                gone = place.with_name(f".gone-{run}")
                place.rename(gone)
                shutil.rmtree(gone, ignore_errors=True)

    def _tidy(self) -> None:
        """Take away what an app left half copied, and put an older copy back where it was ended
        between two renames.
        """
        for path in (*self.path.iterdir(), *(self.path / RUNS).iterdir()):
            if (left := _LEFTOVER.fullmatch(path.name)) is None:
                continue
            place = path.with_name(left["of"])
            if left["kind"] == "old" and not place.exists():
                path.rename(place)
            elif abs(time.time() - path.stat().st_mtime) > _AT_WORK_SECONDS:
                shutil.rmtree(path, ignore_errors=True)

    @contextmanager
    def _sentences(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise NotAvailable(
                f"finished runs and votes are not copied to {self.path}",
                why=error.strerror or type(error).__name__,
                fix="see that it is mounted, has room and may be written, or change MTLAB_BACKUP",
            ) from None


class DatasetPlace:
    """A private dataset of the hub; one commit for each copy.

    Args:
        repo: `OWNER/NAME`; made where there is none.
        api: the hub, with a token that may write to it.
    """

    def __init__(self, repo: str, api: HfApi) -> None:
        self.repo = repo
        self._api = api

    def open(self) -> None:
        """Make the dataset, and see that nobody else can read it."""
        from huggingface_hub.errors import RepositoryNotFoundError

        with self._sentences():
            try:
                is_private = self._api.dataset_info(self.repo, timeout=_PATIENCE).private
            except RepositoryNotFoundError:
                self._api.create_repo(self.repo, repo_type=_KIND, private=True)
                is_private = True
            if not is_private:
                raise self._refused("everybody can read it", "make it private, or name another")

    def runs(self) -> set[str]:
        """The ids of the runs that have a copy."""
        with self._sentences():
            parts = [
                path.split("/") for path in self._api.list_repo_files(self.repo, repo_type=_KIND)
            ]
            return {part[1] for part in parts if part[0] == RUNS and ID.fullmatch(part[1])}

    def put(self, run: str, folder: Path) -> None:
        """Copy a run in one commit."""
        self._put(f"{RUNS}/{run}", folder, f"run {run}")

    def put_notes(self, folder: Path) -> None:
        """Copy notes in one commit; in none where they are as they were."""
        self._put(NOTES, folder, NOTES)

    def fetch(self, run: str, folder: Path) -> None:
        """Copy a run back."""
        with self._fetched(f"{RUNS}/{run}", folder) as fetched:
            fetched.rename(folder)

    def fetch_notes(self, folder: Path) -> None:
        """Copy the notes back, if there are any."""
        with self._fetched(NOTES, folder) as fetched:
            if fetched.exists():
                fetched.rename(folder)

    def remove(self, run: str) -> None:
        """Remove a run's copy, if there is one; the dataset's history keeps it."""
        from huggingface_hub.errors import EntryNotFoundError

        with self._sentences():
            try:
                self._api.delete_folder(f"{RUNS}/{run}", self.repo, repo_type=_KIND)
            except EntryNotFoundError:
                return

    def _put(self, path: str, folder: Path, message: str) -> None:
        with self._sentences():
            self._api.upload_folder(
                repo_id=self.repo,
                repo_type=_KIND,
                folder_path=folder,
                path_in_repo=path,
                commit_message=message,
                ignore_patterns=[*LEFT_OUT, *(f"*/{pattern}" for pattern in LEFT_OUT)],
                delete_patterns="*",
            )

    @contextmanager
    def _fetched(self, path: str, folder: Path) -> Iterator[Path]:
        """What lies below a path, fetched beside a folder until the block ends."""
        with self._sentences(), _aside(folder) as aside:
            self._api.snapshot_download(
                self.repo, repo_type=_KIND, allow_patterns=f"{path}/*", local_dir=aside
            )
            yield Path(aside) / path

    @contextmanager
    def _sentences(self) -> Iterator[None]:
        from huggingface_hub import errors

        token = "give HF_TOKEN a token that may write there"
        try:
            yield
        except MtlabError:
            raise
        except errors.LocalTokenNotFoundError:
            raise self._refused("there is no token", token) from None
        except errors.HfHubHTTPError as error:
            status = error.response.status_code
            if status in (401, 403, 404):
                raise self._refused(f"the hub refuses the token ({status})", token) from None
            why = error.server_message or type(error).__name__
            raise self._refused(f"{status}: {why}", "it is tried again") from None
        except Exception as error:  # noqa: BLE001 - the hub's client raises many kinds
            raise self._refused(
                f"no answer: {type(error).__name__}", "check the network; it is tried again"
            ) from None

    def _refused(self, why: str, fix: str) -> NotAvailable:
        what = f"finished runs and votes are not copied to the dataset '{self.repo}'"
        return NotAvailable(what, why=why, fix=fix)


def _aside(folder: Path) -> tempfile.TemporaryDirectory[str]:
    """A folder beside another, named as what the store removes should it be left behind."""
    return tempfile.TemporaryDirectory(dir=folder.parent, prefix=".new-fetched-")


def _copy(source: Path, target: Path) -> None:
    """The files of a folder. Their times and rights stay behind: a mounted disk may know none."""
    target.mkdir()
    for path in sorted(source.iterdir()):
        if any(fnmatch(path.name, pattern) for pattern in LEFT_OUT):
            continue
        if path.is_dir():
            _copy(path, target / path.name)
        else:
            shutil.copyfile(path, target / path.name)

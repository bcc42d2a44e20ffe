"""On a node: a run's home, and what the run says and makes there, until it is fetched.

Classes without Ray in them, so that they are tested as any other.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

from mtlab.cluster.facts import facts_here
from mtlab.cluster.scratch import own
from mtlab.runs.attending import attend
from mtlab.runs.identity import ProcessIdentity
from mtlab.runs.settling import is_complete_checkpoint, is_gone
from mtlab.runs.status import Status
from mtlab.runs.store import RunStore
from mtlab.settings import Settings

_MOST_EVENTS = 2000
_GROUPS = ("adapter", "model")
"""Folders that are fetched as a whole, once the run has made them."""

_NOT_MADE = ("status.json", "events.jsonl", "stop.json", "spec.json", "job.log", "lab.db")


class JobHome:
    """A home with one run in it, as the home that it came from asks for it.

    Args:
        root: the node's folder for what comes to it.
        home: the run's own, below that.
        run: its id.
        threads: how many it may use.
    """

    def __init__(self, root: Path, home: Path, run: str, threads: int) -> None:
        self._run = run
        self._root = root
        self._home = home
        usual = Settings.from_environment()
        self._settings = replace(usual, home=home, threads=threads, backup="")
        self._store = RunStore(self._settings)
        self._folder = self._store.folder(run)

    def hello(self) -> dict[str, Any]:
        """Which machine this is, and where its things lie."""
        return {
            "facts": facts_here().to_json(),
            "root": str(self._root),
            "home": str(self._home),
            "begun": self._has_begun(),
        }

    def look(self, after: int, logged: int) -> dict[str, Any]:
        """How it stands.

        Args:
            after: the number of the last event that is known at home.
            logged: how many bytes of `job.log` are.

        Returns:
            `{status, events, log, files, groups, over}`: events above `after`; what came to the
            log; size and time of every file that was made; the folders that are whole; and whether
            nothing more will come.
        """
        status, over = self._attended()
        events = self._store.log(self._run).read(after)
        return {
            "status": status.to_json(),
            "events": [event.to_json() for event in events[:_MOST_EVENTS]],
            "log": self._log(logged),
            "files": self._files(over),
            "groups": self._groups(over),
            "over": over and len(events) <= _MOST_EVENTS,
        }

    def offer(self, group: str) -> dict[str, str]:
        """Paths of the files of a whole folder, which stay even where the run removes it."""
        source = self._folder / group
        outbox = self._home / "outbox" / group
        shutil.rmtree(outbox, ignore_errors=True)
        files = {}
        for path in sorted(source.rglob("*")):
            if path.is_file():
                name = path.relative_to(source).as_posix()
                (outbox / name).parent.mkdir(parents=True, exist_ok=True)
                os.link(path, outbox / name)
                files[name] = f"outbox/{group}/{name}"
        return files

    def digest(self, path: str) -> tuple[int, str]:
        """Size and SHA-256 of a file that was made."""
        with open(self._made(path), "rb") as file:
            return os.fstat(file.fileno()).st_size, hashlib.file_digest(file, "sha256").hexdigest()

    def give(self, path: str, offset: int, size: int) -> bytes:
        """A piece of a file that was made."""
        with open(self._made(path), "rb") as file:
            file.seek(offset)
            return file.read(size)

    def stop(self) -> None:
        """Ask the run to save and end, as a person does at home; once."""
        path = self._folder / "stop.json"
        if not path.exists():
            self._store.request_stop(self._run, keep=True)

    def close(self) -> None:
        """End whatever runs, and leave nothing of the run here."""
        self._end_all()
        shutil.rmtree(self._home, ignore_errors=True)

    def _end_all(self) -> None:
        status = self._store.written_status(self._run)
        if status is not None and status.pid is not None:
            identity = ProcessIdentity(status.pid, status.started, status.token)
            identity.signal_group(signal.SIGKILL)

    def _has_begun(self) -> bool:
        return True

    def _exit_code(self) -> int | None:
        """How the run's process exited, where this is its parent and it did."""
        return None

    def _attended(self) -> tuple[Status, bool]:
        """How the run stands, and whether nothing of it lives any more."""
        status = attend(self._store, self._run, exit_code=self._exit_code())
        if status is None:
            raise ValueError("the run's folder was removed on the node")
        return status, status.state != "running" and is_gone(status)

    def _made(self, path: str) -> Path:
        if path.startswith("outbox/"):
            return within(self._home, path)
        return within(self._folder, path)

    def _log(self, logged: int) -> bytes:
        try:
            return self.give("job.log", logged, 2**20)
        except OSError:
            return b""

    def _files(self, over: bool) -> dict[str, str]:
        found = {}
        for path in self._folder.rglob("*"):
            name = path.relative_to(self._folder).as_posix()
            top = name.partition("/")[0]
            if name in _NOT_MADE or top in _GROUPS or top.startswith((".", "checkpoint-")):
                continue
            if path.name.startswith(".") or (top == "partial" and not over):
                continue
            mark = _mark(path)
            if mark:
                found[name] = mark
        return found

    def _groups(self, over: bool) -> dict[str, str]:
        whole = [one for one in self._folder.glob("checkpoint-*") if is_complete_checkpoint(one)]
        if over or (self._folder / "trained.json").exists():
            whole += [self._folder / name for name in _GROUPS if (self._folder / name).is_dir()]
        return {one.name: " ".join(_mark(path) for path in sorted(one.rglob("*"))) for one in whole}


class KeptJob(JobHome):
    """Takes over from a remote job whose run has ended: it holds no device, and keeps the files.

    Args:
        root, home, run, threads: as of a `JobHome`.

    Raises:
        FileNotFoundError: the home was fetched and removed meanwhile.
    """

    def __init__(self, root: Path, home: Path, run: str, threads: int) -> None:
        own(home)
        super().__init__(root, home, run, threads)


def _mark(path: Path) -> str:
    """A word that is another when a file was replaced; empty for what is none, or is gone."""
    try:
        facts = path.stat()
    except OSError:
        return ""
    return f"{facts.st_size}:{facts.st_mtime_ns}" if path.is_file() else ""


def within(folder: Path, name: str) -> Path:
    """A path below a folder.

    Raises:
        ValueError: the name leads out of it.
    """
    path = folder / name
    if ".." in path.parts or Path(name).is_absolute():
        raise ValueError(f"{name} leads out of its folder")
    return path

"""On a node: the actor that does one run and keeps what it says and makes until it is fetched.

A class without Ray in it, so that it is tested as any other. The run's process is the same as on
the machine at home, `mtlab.runs.job` in a home of its own; its events and its files lie there, so
that nothing is lost while nobody watches.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from mtlab.cluster import leash
from mtlab.cluster.facts import facts_here
from mtlab.cluster.luggage import file_digest
from mtlab.cluster.scratch import clear_up, new_job_home, scratch_root
from mtlab.runs.attending import attend
from mtlab.runs.files import write_json
from mtlab.runs.identity import ProcessIdentity, new_token, this_host
from mtlab.runs.settling import is_complete_checkpoint, is_gone
from mtlab.runs.status import Status
from mtlab.runs.store import RunStore
from mtlab.runs.supervisor import launch
from mtlab.settings import Settings

_MOST_EVENTS = 2000
_GROUPS = ("adapter", "model")
"""Folders that are fetched as a whole, once the run has made them."""

_NOT_MADE = ("status.json", "events.jsonl", "stop.json", "spec.json", "job.log", "lab.db")


class RemoteJob:
    """One attempt at one run.

    Args:
        run: its id.
        threads: how many it may use.
        gpus: how many GPUs Ray has shown this process.
    """

    def __init__(self, run: str, threads: int, gpus: int) -> None:
        self._run = run
        self._root = scratch_root(os.environ)
        clear_up(self._root)
        self._home = new_job_home(self._root, run)
        usual = Settings.from_environment()
        self._settings = replace(usual, home=self._home, threads=threads, backup="")
        self._store = RunStore(self._settings)
        self._folder = self._store.folder(run)
        self._folder.mkdir()
        self._gpus = gpus
        self._device = ",".join(f"cuda:{number}" for number in range(gpus)) or "cpu"
        self._child: subprocess.Popen[bytes] | None = None

    def hello(self) -> dict[str, Any]:
        """Which machine this is, and where its things lie."""
        return {
            "facts": facts_here().to_json(),
            "root": str(self._root),
            "home": str(self._home),
            "begun": self._child is not None,
        }

    def lacking(self, wanted: Sequence[Sequence[Any]]) -> list[tuple[str, int]]:
        """Of files as `[target, size]` those that are not here, each with the bytes that are."""
        found = []
        for target, size in wanted:
            path = self._target(target)
            if not path.is_file() or path.stat().st_size != size:
                aside = self._aside(path)
                found.append((str(target), aside.stat().st_size if aside.exists() else 0))
        return found

    def take(self, target: str, offset: int, data: bytes) -> None:
        """Write a piece of a file; the one from 0 on begins it anew."""
        path = self._target(target)
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = self._aside(path)
        with open(aside, "r+b" if offset else "wb") as file:
            file.seek(offset)
            file.write(data)

    def keep(self, target: str, sha256: str) -> None:
        """Give a file that has come whole its name.

        Raises:
            ValueError: it is not what was sent.
        """
        path = self._target(target)
        if file_digest(self._aside(path)) != sha256:
            self._aside(path).unlink()
            raise ValueError(f"{target} did not arrive as it was sent")
        os.replace(self._aside(path), path)

    def begin(self, shared: Mapping[str, str | None], status: Mapping[str, Any]) -> None:
        """Start the run's process, once.

        Args:
            shared: the folders that have come, and the run whose folder each is.
            status: of the run, at home.
        """
        if self._child is not None:
            return
        for content, run in shared.items():
            folder = self._root / "shared" / content
            os.utime(folder)
            if run is not None:
                (self._settings.runs / run).symlink_to(folder, target_is_directory=True)
        token = new_token()
        launched = Status.from_json(status).with_changes(
            state="running", token=token, wants=None, host=this_host(), device=self._device,
            pid=None, started=None, owner=None, needs=(),
        )  # fmt: skip
        write_json(self._folder / "status.json", launched.to_json())
        more = {
            "MTLAB_THREADS": str(self._settings.threads),
            "MTLAB_COMET_ENV": str(self._settings.comet_env),
        }
        if self._gpus:  # all that Ray has given, and no other
            more["CUDA_VISIBLE_DEVICES"] = os.environ.get("CUDA_VISIBLE_DEVICES", "")
        self._child = launch(
            self._folder,
            token,
            "cuda:0" if self._gpus else "cpu",
            self._settings,
            before=(sys.executable, leash.__file__, str(os.getpid())),
            more=more,
        )

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
        exit_code = self._child.poll() if self._child is not None else None
        status = attend(self._store, self._run, exit_code=exit_code)
        if status is None:
            raise ValueError("the run's folder was removed on the node")
        over = status.state != "running" and is_gone(status)
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
        status = self._store.written_status(self._run)
        if status is not None and status.pid is not None:
            identity = ProcessIdentity(status.pid, status.started, status.token)
            identity.signal_group(signal.SIGKILL)
        if self._child is not None:
            if self._child.poll() is None:
                self._child.kill()
            self._child.wait(timeout=30)
        shutil.rmtree(self._home, ignore_errors=True)

    def _target(self, target: str) -> Path:
        kind, _, name = target.partition("/")
        return _within(self._folder if kind == "own" else self._root / "shared", name)

    def _aside(self, path: Path) -> Path:
        return path.with_name(f".{path.name}.{self._home.name}.coming")

    def _made(self, path: str) -> Path:
        if path.startswith("outbox/"):
            return _within(self._home, path)
        return _within(self._folder, path)

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


def _mark(path: Path) -> str:
    """A word that is another when a file was replaced; empty for what is none, or is gone."""
    try:
        facts = path.stat()
    except OSError:
        return ""
    return f"{facts.st_size}:{facts.st_mtime_ns}" if path.is_file() else ""


def _within(folder: Path, name: str) -> Path:
    path = folder / name
    if ".." in path.parts or Path(name).is_absolute():
        raise ValueError(f"{name} leads out of its folder")
    return path

"""On a node: the actor that does one run.

A class without Ray in it, so that it is tested as any other. The run's process is the same as on
the machine at home, `mtlab.runs.job` in a home of its own; its events and its files lie there, so
that nothing is lost while nobody watches.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mtlab.cluster import leash
from mtlab.cluster.job_home import JobHome, within
from mtlab.cluster.luggage import file_digest
from mtlab.cluster.scratch import clear_up, new_job_home, scratch_root
from mtlab.runs.files import write_json
from mtlab.runs.identity import new_token, this_host
from mtlab.runs.status import Status
from mtlab.runs.supervisor import launch


class RemoteJob(JobHome):
    """One attempt at one run.

    Args:
        run: its id.
        threads: how many it may use.
        gpus: how many GPUs Ray has shown this process.
    """

    def __init__(self, run: str, threads: int, gpus: int) -> None:
        root = scratch_root(os.environ)
        clear_up(root)
        super().__init__(root, new_job_home(root, run), run, threads)
        self._folder.mkdir()
        self._gpus = gpus
        self._device = ",".join(f"cuda:{number}" for number in range(gpus)) or "cpu"
        self._child: subprocess.Popen[bytes] | None = None

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

    def is_over(self) -> bool:
        """Whether the run has ended and nothing of it lives any more: its device is idle."""
        return self._attended()[1]

    def heir(self) -> tuple[Path, Path, str, int]:
        """What a `KeptJob` needs to take over from this one."""
        return self._root, self._home, self._run, self._settings.threads

    def _end_all(self) -> None:
        super()._end_all()
        if self._child is not None:
            if self._child.poll() is None:
                self._child.kill()
            self._child.wait(timeout=30)

    def _has_begun(self) -> bool:
        return self._child is not None

    def _exit_code(self) -> int | None:
        return self._child.poll() if self._child is not None else None

    def _target(self, target: str) -> Path:
        kind, _, name = target.partition("/")
        return within(self._folder if kind == "own" else self._root / "shared", name)

    def _aside(self, path: Path) -> Path:
        return path.with_name(f".{path.name}.{self._home.name}.coming")

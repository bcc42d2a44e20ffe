"""Where a node keeps what came to it: `MTLAB_SCRATCH`, or a folder among the temporary ones.

shared/<content>/      files and runs that several runs rest on, each sent once to a node
cache/                 the runs' own cache, such as the untuned base's translations
jobs/<name>/           a home for one attempt at one run, removed when that was fetched
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import socket
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from mtlab.runs.files import read_json, write_json
from mtlab.runs.identity import ProcessIdentity

_OWNER = "owner.json"
_UNUSED_SECONDS = 7 * 86400.0


def scratch_root(environment: Mapping[str, str]) -> Path:
    """The folder of this machine, made when it is not there.

    Raises:
        OSError: it cannot be made.
    """
    chosen = environment.get("MTLAB_SCRATCH")
    root = (
        Path(chosen).expanduser().absolute()
        if chosen
        else Path(tempfile.gettempdir()) / f"mtlab-{os.getuid()}"
    )
    for name in ("shared", "cache", "jobs"):
        (root / name).mkdir(parents=True, exist_ok=True, mode=0o700)
    return root


def new_job_home(root: Path, run: str) -> Path:
    """An empty home for one run, with the node's cache in it.

    Raises:
        OSError: it cannot be made.
    """
    home = root / "jobs" / f"{run}-{secrets.token_hex(4)}"
    (home / "runs").mkdir(parents=True)
    (home / "cache").symlink_to(root / "cache", target_is_directory=True)
    own(home)
    return home


def own(home: Path) -> None:
    """Make a run's home this process's: it stays as long as the process lives.

    Raises:
        OSError: there is no such home any more, or it cannot be written.
    """
    me = ProcessIdentity.of_this_process()
    owner = {"host": socket.gethostname(), "pid": me.pid, "started": me.started}
    write_json(home / _OWNER, owner, durable=False)


def clear_up(root: Path) -> None:
    """Remove the homes whose actor is gone, and what no run has used for a week."""
    for home in (root / "jobs").iterdir():
        owner = read_json(home / _OWNER) or {}
        if owner.get("host") != socket.gethostname() or not isinstance(owner.get("pid"), int):
            continue  # of another machine that shares the folder, or at this moment being made
        if not ProcessIdentity(owner["pid"], owner.get("started"), None).is_alive():
            shutil.rmtree(home, ignore_errors=True)
    for folder in (root / "shared").iterdir():
        with contextlib.suppress(OSError):
            if time.time() - folder.stat().st_mtime > _UNUSED_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)

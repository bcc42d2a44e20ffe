"""Environments of their own for what must not stand in the main one, laid over its packages.

COMET needs older versions of the lab's libraries, and the lab's rivals in `mtlab bench` are nothing
it runs on. Each has a folder with an interpreter, the packages that differ, and a `.pth` file that
names the main interpreter's packages, so that torch is shared.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from mtlab.errors import NotAvailable
from mtlab.secrecy import without_secrets

Progress = Callable[[float, str], None]
"""Told the share done, 0 to 1, and the step at hand."""

WAIT_SECONDS = 900.0


@dataclass(frozen=True)
class Overlay:
    """An environment, there or not.

    Attributes:
        name: of what it is for, as a person reads it: `COMET`, `TRL`.
        folder: where it belongs.
        requirements: a file with its packages.
        proof: Python that must run in it before it is called finished.
        free_bytes: the room its building needs.
        elsewhere: what to do where its folder will not do, such as a variable to set.
    """

    name: str
    folder: Path
    requirements: Path
    proof: str
    free_bytes: int
    elsewhere: str

    def find(self) -> Path | None:
        """Its interpreter, or None if it is not built; costs a few file reads."""
        try:
            stamp = json.loads(self._stamp.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        python = _interpreter(self.folder)
        return python if stamp == self._fingerprint() and python.exists() else None

    def ensure(self, tell: Progress = lambda share, text: None) -> Path:
        """Its interpreter; it is built first if it is not there.

        One process builds, others wait for it. A build that was cut short leaves no stamp and is
        done again from the start.

        Raises:
            NotAvailable: it cannot be built here: why, and what would help.
        """
        found = self.find()
        if found is not None:
            return found
        problem = self.problem()
        if problem is not None:
            raise problem
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            tell(0.0, f"waiting for the {self.name} environment")
            with FileLock(self._lock, timeout=WAIT_SECONDS):
                return self.find() or self._build(tell)
        except Timeout:
            raise NotAvailable(
                self.name,
                why="another process has been building its environment for 15 minutes",
                fix="wait for it, or end it and try again",
            ) from None
        except OSError as error:
            raise NotAvailable(
                self.name,
                why=f"its environment cannot be written: {error.strerror or error}",
                fix=f"free space, or {self.elsewhere} a folder that can be written",
            ) from None

    def problem(self) -> NotAvailable | None:
        """Why it cannot be built here, as far as can be told before trying."""
        folder = self.folder
        if importlib.util.find_spec("torch") is None:
            return NotAvailable(
                self.name, why="torch is missing", fix="install requirements.txt first"
            )
        if folder.exists() and any(folder.iterdir()) and not self._lock.exists():
            return NotAvailable(
                self.name,
                why=f"its environment belongs in '{folder}', where something else lies",
                fix=f"{self.elsewhere} a new or empty folder",
            )
        parent = next(place for place in (folder, *folder.absolute().parents) if place.exists())
        free = shutil.disk_usage(parent).free
        if free < self.free_bytes:
            return NotAvailable(
                self.name,
                why=f"its environment needs {self.free_bytes / 1e9:.1f} GB while it is built, and "
                f"{free / 1e9:.1f} GB are free",
                fix=f"free space, or {self.elsewhere} a folder with more",
            )
        return None

    @property
    def _key(self) -> str:
        return f"mtlab-{self.name.lower()}"

    @property
    def _stamp(self) -> Path:
        return self.folder / f"{self._key}.json"

    @property
    def _lock(self) -> Path:
        return self.folder / f"{self._key}.lock"

    @property
    def _log(self) -> Path:
        return self.folder / f"{self._key}.log"

    def _build(self, tell: Progress) -> Path:
        tell(0.02, f"making an environment for {self.name}")
        for old in self.folder.iterdir():
            if old not in (self._lock, self._log):
                shutil.rmtree(old) if old.is_dir() and not old.is_symlink() else old.unlink()
        venv.EnvBuilder(with_pip=importlib.util.find_spec("pip") is None).create(self.folder)
        python = _interpreter(self.folder)
        place = {"base": str(self.folder), "platbase": str(self.folder)}
        packages = sysconfig.get_path("purelib", vars=place)
        Path(packages, "mtlab_main.pth").write_text("\n".join(_shared_folders()) + "\n", "utf-8")
        with self._log.open("w", encoding="utf-8") as out:
            command = [str(python), "-I", "-m", "pip", "install", "--no-input"]
            command += ["--only-binary=:all:", "--disable-pip-version-check", "--retries=2"]
            failed = self._run([*command, "-r", str(self.requirements)], out, tell)
            tell(0.95, f"trying {self.name} for the first time")
            failed = failed or self._run([str(python), "-I", "-c", self.proof], out, None)
        if failed:
            raise NotAvailable(
                self.name,
                why=f"its environment cannot be built: {_cause(self._log)}",
                fix=f"see {self._log}, check the network, and try again",
            )
        self._stamp.write_text(json.dumps(self._fingerprint()), encoding="utf-8")
        tell(1.0, f"the {self.name} environment is ready")
        return python

    def _run(self, command: list[str], out: object, tell: Progress | None) -> int:
        """Run a step, its output kept in the log; pip's lines become progress."""
        elsewhere = {"PIP_TARGET", "PIP_PREFIX", "PIP_USER"}
        environment = without_secrets(os.environ, hub=False)
        kept = {name: value for name, value in environment.items() if name not in elsewhere}
        expected = len(self.requirements.read_text(encoding="utf-8").splitlines()) or 1
        seen = 0
        with subprocess.Popen(
            command,
            env=kept,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                print(line, end="", file=out, flush=True)  # type: ignore[call-overload]
                if tell and line.startswith(("Collecting ", "Installing collected")):
                    seen += 1
                    share = 0.05 + 0.85 * min(1.0, seen / expected)
                    tell(share, f"{self.name}: " + " ".join(line.split()[:2]).lower())
        return process.returncode

    def _fingerprint(self) -> dict[str, object]:
        """What the built environment depends on; another value means it is built again."""
        requirements = hashlib.sha256(self.requirements.read_bytes()).hexdigest()
        version = ".".join(map(str, sys.version_info[:2]))
        return {"requirements": requirements, "python": version, "shared": _shared_folders()}


def _cause(log: Path) -> str:
    """The last complaint in a log, in one line."""
    lines = [line.strip() for line in log.read_text(encoding="utf-8").splitlines() if line.strip()]
    errors = [line for line in lines if re.match(r"(ERROR:|\w*(Error|Exception)\b)", line)]
    last = (errors or lines or ["no output"])[-1]
    return last.removeprefix("ERROR:").strip()[:300]


def _interpreter(folder: Path) -> Path:
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _shared_folders() -> list[str]:
    """Where this interpreter's packages lie, torch's folder first."""
    spec = importlib.util.find_spec("torch")
    torch = [str(Path(spec.origin).parent.parent)] if spec and spec.origin else []
    paths = sysconfig.get_paths()
    return list(dict.fromkeys([*torch, paths["purelib"], paths["platlib"]]))

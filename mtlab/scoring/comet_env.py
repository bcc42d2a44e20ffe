"""The environment COMET lives in: found, or built over the main one.

unbabel-comet caps transformers, numpy, protobuf and huggingface-hub below what the lab runs on, so
it has an interpreter of its own. That environment holds what differs (`comet_requirements.txt`,
about 0.5 GB) and names the main interpreter's packages in a `.pth` file, so that torch is shared.

    python -m mtlab.scoring.comet_env        builds it, or says in milliseconds that it is there

Not covered: Python 3.13 and later, for which numpy 1 has no builds; there, `MTLAB_COMET_PYTHON`
can name an interpreter that has unbabel-comet.
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
from pathlib import Path

from filelock import FileLock, Timeout

from mtlab.errors import MtlabError, NotAvailable
from mtlab.scoring.values import Progress
from mtlab.settings import Settings

REQUIREMENTS = Path(__file__).with_name("comet_requirements.txt")
PROOF = "import comet"
"""What the finished environment must be able to do before it is called finished."""

FREE_BYTES = 1_500_000_000
WAIT_SECONDS = 900.0

_STAMP, _LOCK, _LOG = "mtlab-comet.json", "mtlab-comet.lock", "mtlab-comet.log"


def find_env(settings: Settings) -> Path | None:
    """The interpreter that has COMET, or None if the environment is not built.

    Costs a few file reads; nothing is imported and no process is started.

    Raises:
        NotAvailable: `MTLAB_COMET_PYTHON` names what is no program.
    """
    if settings.comet_python is not None:
        if not os.access(settings.comet_python, os.X_OK) or settings.comet_python.is_dir():
            raise NotAvailable(
                "COMET",
                why=f"MTLAB_COMET_PYTHON is '{settings.comet_python}', which is no program",
                fix="name a Python interpreter that has unbabel-comet, or unset it",
            )
        return settings.comet_python
    try:
        stamp = json.loads((settings.comet_env / _STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    python = _interpreter(settings.comet_env)
    return python if stamp == _fingerprint() and python.exists() else None


def ensure_env(settings: Settings, on_progress: Progress | None = None) -> Path:
    """The interpreter that has COMET; its environment is built first if it is not there.

    One process builds, others wait for it. A build that was cut short leaves no stamp and is done
    again from the start.

    Args:
        settings: where the environment belongs.
        on_progress: told the share done and the step.

    Raises:
        NotAvailable: it cannot be built here: why, and what would help.
    """
    found = find_env(settings)
    if found is not None:
        return found
    tell = on_progress or (lambda share, text: None)
    folder = settings.comet_env
    problem = build_problem(settings)
    if problem is not None:
        raise problem
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tell(0.0, "waiting for the COMET environment")
        with FileLock(folder / _LOCK, timeout=WAIT_SECONDS):
            return find_env(settings) or _build(folder, tell)
    except Timeout:
        raise NotAvailable(
            "COMET",
            why="another process has been building its environment for 15 minutes",
            fix="wait for it, or end it and try again",
        ) from None
    except OSError as error:
        raise NotAvailable(
            "COMET",
            why=f"its environment cannot be written: {error.strerror or error}",
            fix="free space, or let MTLAB_COMET_ENV name a folder that can be written",
        ) from None


def build_problem(settings: Settings) -> NotAvailable | None:
    """Why the environment cannot be built here, as far as can be told before trying."""
    folder = settings.comet_env
    if sys.version_info >= (3, 13):
        return NotAvailable(
            "COMET",
            why=f"it needs numpy 1, which has no build for Python {sys.version.split()[0]}",
            fix="run the lab on Python 3.11 or 3.12, or set MTLAB_COMET_PYTHON",
        )
    if importlib.util.find_spec("torch") is None:
        return NotAvailable("COMET", why="torch is missing", fix="install requirements.txt first")
    if folder.exists() and any(folder.iterdir()) and not (folder / _LOCK).exists():
        return NotAvailable(
            "COMET",
            why=f"its environment belongs in '{folder}', where something else lies",
            fix="let MTLAB_COMET_ENV name a new or empty folder",
        )
    parent = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    free = shutil.disk_usage(parent).free
    if free < FREE_BYTES:
        return NotAvailable(
            "COMET",
            why=f"its environment needs 1.5 GB while it is built, and {free / 1e9:.1f} GB are free",
            fix="free space, or let MTLAB_COMET_ENV name a folder with more",
        )
    return None


def _build(folder: Path, tell: Progress) -> Path:
    tell(0.02, "making an environment for COMET")
    for old in folder.iterdir():
        if old.name not in (_LOCK, _LOG):
            shutil.rmtree(old) if old.is_dir() and not old.is_symlink() else old.unlink()
    venv.EnvBuilder(with_pip=importlib.util.find_spec("pip") is None).create(folder)
    python = _interpreter(folder)
    packages = sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)})
    Path(packages, "mtlab_main.pth").write_text("\n".join(_shared_folders()) + "\n", "utf-8")
    log = folder / _LOG
    with log.open("w", encoding="utf-8") as out:
        command = [str(python), "-I", "-m", "pip", "install", "--no-input", "--only-binary=:all:"]
        command += ["--disable-pip-version-check", "--retries=2", "-r", str(REQUIREMENTS)]
        failed = _run(command, out, tell)
        tell(0.95, "trying COMET for the first time")
        failed = failed or _run([str(python), "-I", "-c", PROOF], out, None)
    if failed:
        raise NotAvailable(
            "COMET",
            why=f"its environment cannot be built: {_cause(log)}",
            fix=f"see {log}, check the network, and try again",
        )
    (folder / _STAMP).write_text(json.dumps(_fingerprint()), encoding="utf-8")
    tell(1.0, "the COMET environment is ready")
    return python


def _run(command: list[str], out: object, tell: Progress | None) -> int:
    """Run a step, its output kept in the log; pip's lines become progress."""
    elsewhere = {"PIP_TARGET", "PIP_PREFIX", "PIP_USER"}
    kept = {name: value for name, value in os.environ.items() if name not in elsewhere}
    expected = len(REQUIREMENTS.read_text(encoding="utf-8").splitlines()) or 1
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
                tell(share, "COMET: " + " ".join(line.split()[:2]).lower())
    return process.returncode


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


def _fingerprint() -> dict[str, object]:
    """What the built environment depends on; another value means it is built again."""
    requirements = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    version = ".".join(map(str, sys.version_info[:2]))
    return {"requirements": requirements, "python": version, "shared": _shared_folders()}


def main() -> int:
    """Build the environment named by the settings; the exit status says whether it is there."""
    try:
        python = ensure_env(
            Settings.from_environment(), lambda share, text: print(f"{share:4.0%} {text}")
        )
    except MtlabError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"COMET: {python}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

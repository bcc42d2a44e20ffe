"""The environment COMET lives in: found, or built over the main one.

unbabel-comet caps transformers, numpy, protobuf and huggingface-hub below what the lab runs on, so
it has an interpreter of its own (`mtlab.overlays`). That environment holds what differs
(`comet_requirements.txt`, about 0.5 GB).

    python -m mtlab.scoring.comet_env        builds it, or says in milliseconds that it is there

Not covered: Python 3.13 and later, for which numpy 1 has no builds; there, `MTLAB_COMET_PYTHON`
can name an interpreter that has unbabel-comet.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from mtlab.errors import MtlabError, NotAvailable
from mtlab.overlays import Overlay
from mtlab.scoring.values import Progress
from mtlab.settings import Settings

REQUIREMENTS = Path(__file__).with_name("comet_requirements.txt")
PROOF = "import comet"
"""What the finished environment must be able to do before it is called finished."""

FREE_BYTES = 1_500_000_000


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
    return _overlay(settings).find()


def ensure_env(settings: Settings, on_progress: Progress | None = None) -> Path:
    """The interpreter that has COMET; its environment is built first if it is not there.

    Args:
        settings: where the environment belongs.
        on_progress: told the share done and the step.

    Raises:
        NotAvailable: it cannot be built here: why, and what would help.
    """
    found = find_env(settings)
    if found is not None:
        return found
    problem = build_problem(settings)
    if problem is not None:
        raise problem
    return _overlay(settings).ensure(on_progress or (lambda share, text: None))


def build_problem(settings: Settings) -> NotAvailable | None:
    """Why the environment cannot be built here, as far as can be told before trying."""
    if sys.version_info >= (3, 13):
        return NotAvailable(
            "COMET",
            why=f"it needs numpy 1, which has no build for Python {sys.version.split()[0]}",
            fix="run the lab on Python 3.11 or 3.12, or set MTLAB_COMET_PYTHON",
        )
    return _overlay(settings).problem()


def _overlay(settings: Settings) -> Overlay:
    return Overlay(
        name="COMET",
        folder=settings.comet_env,
        requirements=REQUIREMENTS,
        proof=PROOF,
        free_bytes=FREE_BYTES,
        elsewhere="let MTLAB_COMET_ENV name",
    )


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

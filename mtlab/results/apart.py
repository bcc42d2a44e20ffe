"""Findings made in a process of their own, so that whoever serves a page meanwhile is not slowed.

python -m mtlab.results.apart   reads what to do from its input, writes the findings to its
                                output; both JSON, and spoken by this module alone
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ConfigDict, TypeAdapter

import mtlab
from mtlab.errors import NotAvailable
from mtlab.results.evidence import Evidence
from mtlab.results.findings import Finding, findings
from mtlab.secrecy import without_secrets
from mtlab.settings import Settings

_NICE = 10  # a run that trains beside it comes first


@dataclass(frozen=True)
class _Task:
    __pydantic_config__ = ConfigDict(ser_json_inf_nan="constants")
    runs: tuple[Evidence, ...]
    settings: Settings
    metric: str


@dataclass(frozen=True)
class _Answer:
    __pydantic_config__ = ConfigDict(ser_json_inf_nan="constants")
    findings: tuple[Finding, ...]


def findings_apart(
    runs: Sequence[Evidence], settings: Settings, metric: str
) -> tuple[Finding, ...]:
    """What `findings` gives, from another process; waits for it.

    Raises:
        NotAvailable: the process could not be started, or ended without an answer.
    """
    task = _Task(tuple(runs), settings, metric)
    root = str(Path(mtlab.__file__).resolve().parent.parent)
    path = os.environ.get("PYTHONPATH")
    try:
        done = subprocess.run(
            [sys.executable, "-m", __name__],
            input=TypeAdapter(_Task).dump_json(task),
            capture_output=True,
            env={
                **without_secrets(os.environ, hub=False),
                "PYTHONPATH": f"{root}{os.pathsep}{path}" if path else root,
            },
            check=True,
        )
    except (OSError, subprocess.CalledProcessError) as error:
        said = getattr(error, "stderr", None) or str(error).encode()
        last = said.decode(errors="replace").strip().rpartition("\n")[2]
        raise NotAvailable(
            "the differences could not be tested", why=last, fix="try again, or with fewer runs"
        ) from error
    return TypeAdapter(_Answer).validate_json(done.stdout).findings


def _answer() -> None:
    if hasattr(os, "nice"):
        os.nice(_NICE)
    task = TypeAdapter(_Task).validate_json(sys.stdin.buffer.read())
    found = _Answer(tuple(findings(task.runs, task.settings, (task.metric,))))
    sys.stdout.buffer.write(TypeAdapter(_Answer).dump_json(found))


if __name__ == "__main__":
    _answer()

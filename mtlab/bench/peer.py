"""A peer in a process of its own, with an environment of its own: it is told, and answers.

A line of JSON goes in, a line of JSON comes out. A peer's program stands alone: it imports nothing
of mtlab. What its libraries print is kept for the case that it dies.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mtlab.errors import NotAvailable
from mtlab.secrecy import without_secrets

PROGRAMS = Path(__file__).with_name("peers")


class Peer:
    """A started program.

    Args:
        name: for people.
        command: the interpreter and the program.
        environment: variables beside this process's own.
    """

    def __init__(
        self, name: str, command: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self._errors = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            list(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            encoding="utf-8",
            env={
                **without_secrets(os.environ, hub=False),
                "OMP_WAIT_POLICY": "PASSIVE",
                "TOKENIZERS_PARALLELISM": "false",
                **(environment or {}),
            },
        )

    def ask(self, command: str, **details: Any) -> dict[str, Any]:
        """Have it do something, and wait for what it says.

        Raises:
            NotAvailable: it cannot, and says why; or it has died.
        """
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            print(json.dumps({"command": command, **details}), file=self._process.stdin, flush=True)
            answer = json.loads(self._process.stdout.readline() or "null")
        except (OSError, ValueError):
            answer = None
        if answer is None:
            raise NotAvailable(self.name, why=f"its process ended: {self._last_words()}")
        if "problem" in answer:
            raise NotAvailable(self.name, why=str(answer["problem"]))
        return dict(answer)

    def close(self) -> None:
        """End it; it may be closed twice."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._errors):
            if pipe is not None:
                with contextlib.suppress(OSError):  # what it never read
                    pipe.close()

    def _last_words(self) -> str:
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._errors.seek(0)
        lines = self._errors.read().decode("utf-8", "replace").strip().splitlines()
        return lines[-1].strip()[:300] if lines else f"exit status {self._process.poll()}"

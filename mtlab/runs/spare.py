"""A run's process that is ready before there is a run: all that a run loads is loaded.

Loading torch, transformers and peft takes longer than most first steps of nano. While somebody
looks at the Launch form, and no run holds the device, the supervisor keeps one process that has
loaded them and waits for a folder on its standard input. It costs no processor time and some
memory, and ends by itself when its pipe closes: with the app, however that ends.

It has the token and the environment of the run that it will be from its beginning, in its arguments
and for `/proc` to show, so that nothing told of a run's process (`mtlab.runs.identity`) changes.
A run whose environment would be another gets a process of its own.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Spare:
    """One such process.

    Attributes:
        process: it.
        token: of the run that it will be.
        environment: what it was given.
    """

    process: subprocess.Popen[bytes]
    token: str
    environment: Mapping[str, str]

    @classmethod
    def start(
        cls, command: Sequence[str], token: str, environment: Mapping[str, str], folder: Path
    ) -> Spare:
        """Start one.

        Args:
            command: what is started for a run.
            token: a new one.
            environment: of the run.
            folder: where it waits; it goes to the run's later.

        Raises:
            OSError: no process can be made.
        """
        process = subprocess.Popen(
            [*command, "--spare", "--token", token],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            env=dict(environment),
            start_new_session=True,
        )
        return cls(process, token, environment)

    @property
    def is_alive(self) -> bool:
        """Whether it can still become a run."""
        return self.process.poll() is None

    def become(self, folder: Path) -> subprocess.Popen[bytes] | None:
        """Let it do the run in a folder; None where it was gone, and then nothing of it is left."""
        pipe = self.process.stdin
        assert pipe is not None
        try:
            pipe.write(os.fsencode(folder) + b"\n")
            pipe.close()
        except OSError:
            self.end()
            return None
        return self.process

    def end(self) -> None:
        """End it; nothing of it is left afterwards."""
        with contextlib.suppress(OSError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        if self.process.stdin is not None:
            with contextlib.suppress(OSError):
                self.process.stdin.close()


def wait_for_run() -> Path | None:
    """What the process does until it is a run: load everything, then wait for the run's folder.

    Returns:
        The folder, with the process in it and its output in `job.log`, as the supervisor starts
        runs; None when nobody needs it any more.
    """
    _load()
    line = sys.stdin.buffer.readline()
    if not line.endswith(b"\n"):
        return None
    folder = Path(os.fsdecode(line[:-1]))
    nothing = os.open(os.devnull, os.O_RDONLY)
    log = os.open(folder / "job.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for source, target in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    os.close(nothing)
    os.close(log)
    os.chdir(folder)
    return folder


def _load() -> None:
    """Load what runs use; nothing of it is used before there is one."""
    import peft
    import transformers

    import mtlab.decoding
    import mtlab.runs.pipeline
    import mtlab.runs.probing
    import mtlab.runs.untrained
    import mtlab.scoring
    import mtlab.training

    loaded = (mtlab.decoding, mtlab.runs.probing, mtlab.runs.untrained, mtlab.scoring)
    assert loaded and mtlab.training and mtlab.runs.pipeline and peft.PeftModel
    # They are made when they are first asked for.
    for name in ("AutoModelForCausalLM", "AutoTokenizer", "LlamaForCausalLM"):
        getattr(transformers, name)

"""What the package `spaces` does on a ZeroGPU Space, as far as the lab can tell: `GPU`.

A decorated function is called in a forked process, its argument and its answer pickled, with the
lent GPU in `CUDA_VISIBLE_DEVICES`; it is killed when its time is over. A refusal is raised in the
caller as the package raises it: a `gr.Error` whose message may hold HTML.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

FORKING = multiprocessing.get_context("fork")


@dataclass
class Zero:
    """A visitor's quota, and what was asked of it."""

    quota: float = 1000.0
    durations: list[float] = field(default_factory=list)
    sizes: list[str] = field(default_factory=list)

    def GPU(self, *, duration: float, size: str) -> Callable[[Any], Any]:
        """The decorator."""
        self.sizes.append(size)

        def decorate(task: Callable[..., Any]) -> Callable[..., Any]:
            @wraps(task)
            def called(*args: Any) -> Any:
                import gradio as gr

                if duration > self.quota:
                    raise gr.Error(
                        "You have exceeded your free ZeroGPU quota "
                        f"({duration}s requested vs. {self.quota}s left). <a href='x'>Sign up</a>"
                    )
                self.quota -= duration
                self.durations.append(duration)
                mine, theirs = FORKING.Pipe()
                worker = FORKING.Process(target=_work, args=(theirs, task, args))
                worker.start()
                try:
                    if not mine.poll(duration):
                        worker.kill()
                        raise gr.Error("GPU task aborted")
                    return mine.recv()
                finally:
                    worker.join()

            return called

        return decorate


def _work(pipe: Any, task: Callable[..., Any], args: tuple[Any, ...]) -> None:
    os.environ["CUDA_VISIBLE_DEVICES"] = "MIG-lent"
    pipe.send(task(*args))
    os._exit(0)

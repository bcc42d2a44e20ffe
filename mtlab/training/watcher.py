"""Turns what Trainer does into events, and the user's wish to stop into an end."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psutil
import torch
from transformers import TrainerCallback

from mtlab.errors import RunFailed
from mtlab.prompts import Example
from mtlab.training.checkpoints import keep_newest
from mtlab.training.order import ExampleOrder

Emit = Callable[..., Any]
"""`emit(kind, **data)` appends an event."""

PROBES = 4
"""How often the probe is called, at even distances; the last time when training has ended."""


class Watcher(TrainerCallback):  # type: ignore[misc]
    """Turns what Trainer does into events, and the user's wish to stop into an end."""

    def __init__(
        self,
        emit: Emit,
        should_stop: Callable[[], bool],
        probe: Callable[[int], None] | None,
        order: ExampleOrder,
        examples: Sequence[Example],
        steps: int,
    ) -> None:
        self.emit = emit
        self.should_stop = should_stop
        self.probe = probe
        self.order = order
        self.examples = examples
        self.steps = steps
        self.probe_at = {round(steps * part / PROBES) for part in range(1, PROBES + 1)}
        self.stopped = False
        self.probe_seconds = 0.0
        self._logged_step = 0
        self._logged_at = time.monotonic()

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Start the clock, at the step a resumed run goes on from."""
        self._logged_step = state.global_step
        self._logged_at = time.monotonic()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Save and end if the user wants it."""
        if state.global_step < self.steps and self.should_stop():
            self.stopped = True
            control.should_training_stop = True
            control.should_save = True
            control.should_log = True

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Let the checkpoint before go, now that there is a newer one."""
        keep_newest(Path(args.output_dir), state.global_step)

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **more: Any) -> None:
        """Emit the step; end the run when its loss is no number any more, before it is saved."""
        if not logs or "loss" not in logs:
            return
        loss = float(logs["loss"])
        if not math.isfinite(loss):
            raise RunFailed(
                f"the loss is no longer a number at step {state.global_step} of {self.steps}",
                fix="lower the learning rate, or train in fp32",
            )
        now = time.monotonic()
        tokens = sum(
            len(self.examples[index].input_ids)
            for step in range(self._logged_step + 1, state.global_step + 1)
            for index in self.order.step(step)
        )
        self.emit(
            "step",
            step=state.global_step,
            steps=self.steps,
            loss=round(loss, 5),
            learning_rate=logs.get("learning_rate"),
            tokens_per_second=round(tokens / max(now - self._logged_at, 1e-6), 1),
            memory_mb=memory_mb(),
        )
        self._logged_step, self._logged_at = state.global_step, now
        if state.global_step in self.probe_at and self.probe is not None:
            self._run_probe(state.global_step, more["model"])

    def _run_probe(self, step: int, model: Any) -> None:
        assert self.probe is not None
        started = time.monotonic()
        # A probe must not change the training: dropout's generator is put back afterwards.
        state = torch.random.get_rng_state()
        model.eval()
        try:
            self.probe(step)
        finally:
            model.train()
            torch.random.set_rng_state(state)
        self.probe_seconds += time.monotonic() - started
        self._logged_at = time.monotonic()


def memory_mb() -> int:
    """What this process holds now, in MB: on the GPU when there is one, else in main memory."""
    if torch.cuda.is_available():
        return int(torch.cuda.max_memory_allocated() // 10**6)
    return int(psutil.Process().memory_info().rss // 10**6)

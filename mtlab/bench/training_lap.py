"""The lab's own fine-tuning as a peer: told over stdin, see `bench.peer`, as TRL's program is.

    python -m mtlab.bench.training_lap

Commands, clock and count are those of `peers/trl_peer.py`; a task's `options` are for `Training`. A
lap ends with its last step: nothing is saved, which would take minutes for a large model.
"""

from __future__ import annotations

import contextlib
import json
import tempfile
import time
from pathlib import Path
from typing import Any

from mtlab.bench.peers.listening import listen
from mtlab.bench.peers.trl_peer import held_out_loss, peak_bytes, release, versions
from mtlab.models import load, set_threads, weights_precision
from mtlab.presets import resolve_base
from mtlab.prompts import Example
from mtlab.settings import Settings
from mtlab.spec import RunSpec, Training


class _LastStep(Exception):
    """The lap is over."""


class Laps:
    """One task, and trainings of it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def prepare(self, task: dict[str, Any]) -> dict[str, str]:
        """Read the texts; what is trained is loaded by each lap."""
        self.task = task
        texts = json.loads(Path(task["texts"]).read_text(encoding="utf-8"))
        self.examples = [
            Example(tuple(ids), tuple(labels), str(place))
            for place, (ids, labels) in enumerate(texts["train"])
        ]
        self.held_out = texts["held_out"]
        return versions("mtlab", "transformers", "torch", "peft", "accelerate", "flash-attn")

    def lap(self) -> dict[str, Any]:
        """Train once; what it held is let go of, for the next contestant may want the GPU."""
        try:
            return self._lap()
        finally:
            release()

    def _lap(self) -> dict[str, Any]:
        import torch

        from mtlab.training import ExampleOrder, fine_tune

        task, training = self.task, self._training()
        spec = RunSpec(base=task["model"], train=["de-en"], training=training)
        loaded = load(
            resolve_base(task["model"], self.settings),
            precision=weights_precision(spec),
            settings=self.settings,
        )
        marks: list[tuple[float, float]] = []
        losses: list[float] = []

        def mark(kind: str, **facts: Any) -> None:
            if kind != "step":
                return
            if loaded.device == "cuda":
                torch.cuda.synchronize()
            marks.append((time.perf_counter(), time.process_time()))
            losses.append(float(facts["loss"]))
            if len(marks) == task["steps"]:
                raise _LastStep

        with tempfile.TemporaryDirectory() as folder, contextlib.suppress(_LastStep):
            fine_tune(loaded, self.examples, training, task["seed"], Path(folder), mark)
        untimed, peak = task["untimed"], peak_bytes()
        (began, cpu), (ended, used) = marks[untimed - 1], marks[-1]
        order = ExampleOrder(
            [len(example.input_ids) for example in self.examples],
            batch_size=task["batch"],
            steps=task["steps"],
            seed=task["seed"],
        )
        timed = order.first(task["steps"])[task["batch"] * untimed :]
        return {
            "seconds": ended - began,
            "cpu": used - cpu,
            "peak": peak,
            "work": sum(self.examples[index].target_tokens for index in timed),
            "loss": held_out_loss(loaded.model, self.held_out),
            "losses": losses,
        }

    def _training(self) -> Training:
        task = self.task
        shared = {
            "method": task["method"],
            "learning_rate": task["learning_rate"],
            "steps": task["steps"],
            "batch_size": task["batch"],
            "accumulation": 1,
            "warmup": task["warmup_steps"] / task["steps"],
            "max_length": task["max_length"],
            "checkpoint_steps": task["steps"] + 1,
            "lora_rank": task["lora_rank"],
            "lora_alpha": task["lora_alpha"],
        }
        return Training(**{**shared, **task["options"]})


def main() -> None:
    """Listen until the parent closes the input."""
    settings = Settings.from_environment()
    set_threads(settings)
    laps = Laps(settings)
    listen({"prepare": laps.prepare, "lap": laps.lap})


if __name__ == "__main__":
    main()

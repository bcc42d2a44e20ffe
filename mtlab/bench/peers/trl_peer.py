"""TRL's SFTTrainer as its users run it, in its own environment; told over stdin, see `bench.peer`.

    {"command": "prepare", "task": {...}} -> {PACKAGE: VERSION}
    {"command": "lap"} -> {"seconds", "cpu", "work", "loss", "losses", "peak"}

A task is what `bench.training_task` makes, with `options` for TRL's `SFTConfig`. A lap trains the
model from its folder anew. Its clock runs from the end of the last untimed step to that of the last
one, and its work is the target tokens of the steps between. Its loss is that of texts that were not
trained on, at the end; its losses are those of the steps that were logged. Its peak is the bytes
that were allocated on the GPU at once while it trained; null where there is none.

What is in rows without padding is attended to by flash attention where `flash-attn` is installed
and there is a GPU, as TRL's documentation advises.
"""

from __future__ import annotations

import gc
import json
import sys
import tempfile
import time
from importlib import metadata
from pathlib import Path
from typing import Any


class Laps:
    """One task, and trainings of it."""

    def prepare(self, task: dict[str, Any]) -> dict[str, str]:
        """Read the texts; what is trained is loaded by each lap."""
        self.task = task
        with open(task["texts"], encoding="utf-8") as file:
            self.texts = json.load(file)
        return versions("trl", "transformers", "torch", "peft", "accelerate", "flash-attn")

    def lap(self) -> dict[str, Any]:
        """Train once; what it held is let go of, for the next contestant may want the GPU."""
        try:
            return self._lap()
        finally:
            release()

    def _lap(self) -> dict[str, Any]:
        import torch
        from transformers import TrainerCallback

        marks: list[tuple[float, float]] = []
        counted: list[int] = []

        class Marks(TrainerCallback):  # type: ignore[misc]
            def on_step_end(self, *args: Any, **more: Any) -> None:
                if torch.cuda.is_available():
                    torch.cuda.synchronize()
                marks.append((time.perf_counter(), time.process_time()))

        with tempfile.TemporaryDirectory() as folder:
            trainer = self._trainer(folder, Marks())
            collate = trainer.data_collator

            def counting(rows: Any) -> Any:
                batch = collate(rows)
                counted.append(int((batch["labels"] != -100).sum()))
                return batch

            trainer.data_collator = counting
            trainer.train()
        untimed, peak = self.task["untimed"], peak_bytes()
        (began, cpu), (ended, used) = marks[untimed - 1], marks[-1]
        return {
            "seconds": ended - began,
            "cpu": used - cpu,
            "peak": peak,
            "work": sum(counted[untimed : self.task["steps"]]),  # the loader is a batch ahead
            "loss": held_out_loss(trainer.model, self.texts["held_out"]),
            "losses": [one["loss"] for one in trainer.state.log_history if "loss" in one],
        }

    def _trainer(self, folder: str, callback: Any) -> Any:
        import torch
        from datasets import Dataset
        from peft import LoraConfig
        from transformers import AutoTokenizer
        from trl import SFTConfig, SFTTrainer

        task, train = self.task, self.texts["train"]
        adapter = None
        if task["method"] == "lora":
            adapter = LoraConfig(
                r=task["lora_rank"],
                lora_alpha=task["lora_alpha"],
                lora_dropout=0.0,
                target_modules="all-linear",
                task_type="CAUSAL_LM",
            )
        options = dict(task["options"])
        dense = options.get("packing") or options.get("padding_free")
        if dense and torch.cuda.is_available() and versions("flash-attn"):
            flash = {"attn_implementation": "flash_attention_2"}
            options["model_init_kwargs"] = {**options.get("model_init_kwargs", {}), **flash}
        config = SFTConfig(
            output_dir=folder,
            max_steps=task["steps"],
            per_device_train_batch_size=task["batch"],
            learning_rate=task["learning_rate"],
            warmup_steps=task["warmup_steps"],
            weight_decay=0.0,
            seed=task["seed"],
            use_cpu=not torch.cuda.is_available(),
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            **options,
        )
        rows = {"input_ids": [ids for ids, _ in train], "labels": [labels for _, labels in train]}
        return SFTTrainer(
            model=task["model"],
            args=config,
            train_dataset=Dataset.from_dict(rows),
            processing_class=AutoTokenizer.from_pretrained(task["model"]),
            peft_config=adapter,
            callbacks=[callback],
        )


def versions(*packages: str) -> dict[str, str]:
    """Those of the packages that are installed."""
    found = {}
    for name in packages:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def peak_bytes() -> int | None:
    """The most that was allocated on the GPU since `release`; None where there is none."""
    import torch

    return int(torch.cuda.max_memory_allocated()) if torch.cuda.is_available() else None


def release() -> None:
    """Give the GPU's memory back, of which there is one for all contestants."""
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def held_out_loss(model: Any, texts: list[tuple[list[int], list[int]]]) -> float:
    """The mean loss per target token of texts that were not trained on, in fp32, one at a time."""
    import torch

    model.float().eval()
    device = next(model.parameters()).device
    total, count = 0.0, 0
    with torch.no_grad():
        for ids, labels in texts:
            logits = model(input_ids=torch.tensor([ids], device=device)).logits[0, :-1].float()
            targets = torch.tensor(labels[1:], device=device)
            total += float(torch.nn.functional.cross_entropy(logits, targets, reduction="sum"))
            count += int((targets != -100).sum())
    return total / count


def main() -> None:
    """Listen until the parent closes the input."""
    sys.path.insert(0, str(Path(__file__).parent))  # run by its path, it is in no package
    from listening import listen

    laps = Laps()
    listen({"prepare": laps.prepare, "lap": laps.lap})


if __name__ == "__main__":
    main()

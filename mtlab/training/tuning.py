"""`fine_tune`: a model and examples in, an adapter or a model in a folder out.

The run's folder gets `checkpoint-*` while it trains and `adapter/` or `model/` at the end, both in
safetensors that peft and transformers load alone. Progress leaves through `emit`; nothing is
printed. On one CPU a run that is stopped and resumed ends with the same weights, bit for bit, as
one that was not; on GPUs the kernels themselves may differ in the last bits.
"""

from __future__ import annotations

import errno
import math
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import torch
from transformers import PrinterCallback, Trainer, TrainingArguments

from mtlab.errors import InputError, MtlabError, NotAvailable, RunFailed
from mtlab.models import Loaded, quiet, resolve_precision
from mtlab.prompts import Example
from mtlab.spec import Training
from mtlab.training.checkpoints import last_checkpoint
from mtlab.training.order import Collator, ExampleOrder, Rows
from mtlab.training.watcher import Emit, Watcher


@dataclass(frozen=True)
class Trained:
    """What fine-tuning ended with.

    Attributes:
        steps: optimizer steps made, those before a resume included.
        loss: mean loss per target token over the last logged step; None if no step was made.
        seconds: of this process, without probes.
        target_tokens: tokens the loss counted, over all steps.
        stopped: whether it was asked to stop before its last step.
        path: the folder that holds the adapter or the model.
    """

    steps: int
    loss: float | None
    seconds: float
    target_tokens: int
    stopped: bool
    path: Path


def fine_tune(
    loaded: Loaded,
    examples: Sequence[Example],
    training: Training,
    seed: int,
    folder: Path,
    emit: Emit,
    should_stop: Callable[[], bool] = lambda: False,
    probe: Callable[[int], None] | None = None,
) -> Trained:
    """Fine-tune a model, resuming from the folder's last whole checkpoint if there is one.

    `loaded.model` itself is trained: afterwards it is the tuned model (with LoRA, the adapter's
    layers are inside it), which is also what `probe` sees.

    Args:
        loaded: the base model; in fp32 for full fine-tuning (`models.weights_precision`).
        examples: from `prompts.encode`.
        training: complete: no value open.
        seed: of the data order, the adapter's first weights and dropout.
        folder: the run's.
        emit: gets a `step` event per logged step.
        should_stop: asked after every step; when it says yes, training saves and ends.
        probe: called with the step a few times, in evaluation mode.

    Raises:
        InputError: there are no examples, or a named LoRA module is not in the model.
        NotAvailable: the device's memory does not suffice.
        RunFailed: the loss is not finite, or the disk is full.
    """
    if not examples:
        raise InputError(
            "no training pair is left",
            field="size",
            fix="give shorter pairs or a larger max_length",
        )
    steps = _required(training.steps)
    order = ExampleOrder(
        [len(example.input_ids) for example in examples],
        batch_size=_required(training.batch_size) * _required(training.accumulation),
        steps=steps,
        seed=seed,
    )
    torch.manual_seed(seed)
    model = _prepare_model(loaded, training)
    watcher = Watcher(emit, should_stop, probe, order, examples, steps)
    trainer = _Trainer(
        model=model,
        args=_arguments(loaded, training, seed, folder, steps),
        train_dataset=Rows(examples),
        data_collator=Collator(_pad_id(loaded)),
        callbacks=[watcher],
    )
    trainer.order = order
    trainer.remove_callback(PrinterCallback)
    checkpoint = last_checkpoint(folder)
    started = time.monotonic()
    try:
        with quiet():
            trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
            path = _save(trainer.model, loaded, training, folder)
    except Exception as error:
        _explain(error)
        raise
    seconds = time.monotonic() - started - watcher.probe_seconds
    model.eval()
    made = int(trainer.state.global_step)
    counted = sum(examples[index].target_tokens for index in order.first(made))
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    loss = float(losses[-1]) if losses else None
    return Trained(made, loss, seconds, counted, watcher.stopped, path)


class _Trainer(Trainer):  # type: ignore[misc]
    order: ExampleOrder

    def _get_train_sampler(self, train_dataset: Any = None) -> ExampleOrder:
        return self.order


def _prepare_model(loaded: Loaded, training: Training) -> Any:
    model = loaded.model
    model.config.use_cache = True
    if training.method == "full":
        model.float()  # master weights; bf16 happens inside autocast
        for parameter in model.parameters():
            parameter.requires_grad_(True)
        return model
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(
        r=training.lora_rank,
        lora_alpha=training.lora_alpha,
        lora_dropout=training.lora_dropout,
        target_modules=list(training.lora_targets) if training.lora_targets else "all-linear",
        task_type="CAUSAL_LM",
    )
    try:
        with quiet():
            adapted = get_peft_model(model, config)
    except ValueError as error:
        raise InputError(
            f"the model has no module named {' or '.join(training.lora_targets or ())}",
            field="training.lora_targets",
            why=str(error).splitlines()[0][:160],
            fix="leave it out, and they are found from the architecture",
        ) from None
    if training.gradient_checkpointing:
        adapted.enable_input_require_grads()
    return adapted


def _arguments(
    loaded: Loaded, training: Training, seed: int, folder: Path, steps: int
) -> TrainingArguments:
    on_cpu = loaded.device == "cpu"
    checkpointing = bool(training.gradient_checkpointing)
    return TrainingArguments(
        output_dir=str(folder),
        max_steps=steps,
        per_device_train_batch_size=training.batch_size,
        gradient_accumulation_steps=training.accumulation,
        learning_rate=training.learning_rate,
        lr_scheduler_type=training.schedule
        if training.warmup == 0 or training.schedule != "constant"
        else "constant_with_warmup",
        warmup_steps=math.ceil(steps * training.warmup),
        weight_decay=training.weight_decay,
        bf16=resolve_precision(training.precision, loaded.device) == "bf16",
        activation_checkpointing=checkpointing,
        activation_checkpointing_kwargs={"use_reentrant": False} if checkpointing else None,
        optim="adamw_torch_fused",
        logging_strategy="steps",
        logging_steps=max(1, steps // 1000),
        logging_nan_inf_filter=False,
        save_strategy="steps",
        save_steps=_required(training.checkpoint_steps),
        save_total_limit=1,
        seed=seed,
        use_cpu=on_cpu,
        dataloader_pin_memory=not on_cpu,
        remove_unused_columns=False,
        report_to="none",
        disable_tqdm=True,
        log_level="error",
    )


def _save(model: Any, loaded: Loaded, training: Training, folder: Path) -> Path:
    """Save under another name first, so that a folder of the right name is a whole one."""
    name = "model" if training.method == "full" else "adapter"
    part, path = folder / f"{name}.part", folder / name
    shutil.rmtree(part, ignore_errors=True)
    model.save_pretrained(str(part), safe_serialization=True)
    if name == "model":
        loaded.tokenizer.save_pretrained(str(part))
    shutil.rmtree(path, ignore_errors=True)
    part.rename(path)
    return path


def _explain(error: Exception) -> NoReturn:
    if isinstance(error, MtlabError):
        raise error
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        raise NotAvailable(
            "training ran out of memory",
            fix="lower the batch size, turn gradient checkpointing on, or use LoRA",
        ) from error
    full_disk = isinstance(error, OSError) and error.errno == errno.ENOSPC
    text = str(error)
    if full_disk or "No space left" in text or "file write failed" in text:
        raise RunFailed("the disk is full", fix="free some space, then resume the run") from error
    raise error


def _pad_id(loaded: Loaded) -> int:
    pad = loaded.tokenizer.pad_token_id
    return int(pad if pad is not None else loaded.tokenizer.eos_token_id)


def _required(value: int | None) -> int:
    if value is None:
        raise ValueError("the training is not complete; see mtlab.defaults.complete")
    return value

"""`fine_tune`: a model and examples in, an adapter or a model in a folder out.

The run's folder gets `checkpoint-*` while it trains and `adapter/` or `model/` at the end, both in
safetensors that peft and transformers load alone. Progress leaves through `emit`; nothing is
printed. On one CPU a run that is stopped, or killed at any moment, and resumed ends with the same
weights, bit for bit, as one that was not; on GPUs the kernels themselves may differ in the last
bits.
"""

from __future__ import annotations

import errno
import inspect
import math
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import torch
from transformers import PrinterCallback, Trainer, TrainingArguments

from mtlab.errors import InputError, MtlabError, NotAvailable, RunFailed
from mtlab.models import Loaded, pass_tokens, quiet, resolve_precision, shape_in
from mtlab.models.attending import attending
from mtlab.models.kernels import Kernels
from mtlab.prompts import Example
from mtlab.spec import Training
from mtlab.training.attention import APART, attention_for
from mtlab.training.batching import Flattener, can_flatten, split
from mtlab.training.checkpoints import last_checkpoint
from mtlab.training.distributed import (
    ALONE,
    Agreement,
    Place,
    Share,
    Shared,
    Sharing,
    draw_apart,
    together,
)
from mtlab.training.kernels import kernels_for
from mtlab.training.masters import Mastering, keeps_masters
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
        kernels: what steps were made with beyond the model's own layers: `bf16-masters`,
            `flash-attn`, `varlen`, `lora`, `liger`, `compile`; none on a CPU, nor on several
            devices.
        stopped: whether it was asked to stop before its last step.
        path: the folder that holds the adapter or the model.
    """

    steps: int
    loss: float | None
    seconds: float
    target_tokens: int
    kernels: tuple[str, ...]
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
    place: Place = ALONE,
) -> Trained:
    """Fine-tune a model, resuming from the folder's last whole checkpoint if there is one.

    Where several processes share the training, each calls this with the same model, examples,
    settings and folder, and returns when all are done. A training may go on with another number of
    them than it began with.

    `loaded.model` itself is trained: afterwards it is the tuned model (with LoRA, the adapter's
    layers are inside it), which is also what `probe` sees.

    Args:
        loaded: the base model; in fp32 for full fine-tuning (`models.weights_precision`).
        examples: from `prompts.encode`.
        training: complete: no value open, but whether activations are computed again: they are
            then where several processes share the training.
        seed: of the data order, the adapter's first weights and dropout.
        folder: the run's.
        emit: gets a `step` event per logged step, and a `note` of the kernels that make them.
        should_stop: asked after every step; when it says yes, training saves and ends.
        probe: called with the step a few times, in evaluation mode.
        place: of this process among those that share the training; what is told, asked, probed and
            written is the first one's business alone.

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
    if training.gradient_checkpointing is None:
        training = training.model_copy(update={"gradient_checkpointing": place.shares})
    steps = _required(training.steps)
    order = ExampleOrder(
        [len(example.input_ids) for example in examples],
        batch_size=_required(training.batch_size) * _required(training.accumulation),
        steps=steps,
        seed=seed,
    )
    torch.manual_seed(seed)
    takes = inspect.signature(loaded.model.forward).parameters
    attention = None if place.shares else attention_for(loaded, training)
    with attending(loaded.model, attention):
        flat = not place.shares and can_flatten(loaded.model, takes)
    masters = not place.shares and keeps_masters(loaded, training)
    model = _prepare_model(loaded, training)
    fused = Kernels() if place.shares else kernels_for(loaded, training, steps)
    apart = (APART[attention],) if flat and attention else ()
    used = ("bf16-masters",) * masters + apart + fused.names
    if used:
        emit("note", text=f"steps are made with {', '.join(used)}")
    collator = (
        Flattener(_pass_tokens(loaded, training)) if flat else Collator(_pad_id(loaded), takes)
    )
    watcher = Watcher(emit, should_stop, probe, order, examples, steps)
    checkpoint = last_checkpoint(folder)
    started = time.monotonic()
    try:
        with quiet(), together(place, folder, loaded.device):
            trainer = _trainer(place, masters)(
                model=model,
                args=_arguments(loaded, training, seed, folder, steps, place, masters, flat),
                train_dataset=Shared(examples) if place.shares else Rows(examples),
                data_collator=collator,
                callbacks=_callbacks(place, watcher),
            )
            trainer.place, trainer.order = place, order
            trainer.attends = lambda: attending(loaded.model, attention if flat else None)
            trainer.fused = fused
            trainer.remove_callback(PrinterCallback)
            if place.shares:
                passes = place.passes(order.batch_size, _required(training.batch_size))
                trainer.share = Share(order, steps, place, passes)
                draw_apart(place, seed)
            trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
            path = _save(trainer, loaded, training, folder)
    except Exception as error:
        _explain(error)
        raise
    seconds = time.monotonic() - started - watcher.probe_seconds
    model.eval()
    made = int(trainer.state.global_step)
    counted = sum(examples[index].target_tokens for index in order.first(made))
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    loss = float(losses[-1]) if losses else None
    return Trained(made, loss, seconds, counted, used, watcher.stopped, path)


class _Trainer(Trainer):  # type: ignore[misc]
    order: ExampleOrder
    place: Place
    share: Share
    attends: Callable[[], AbstractContextManager[None]]
    fused: Kernels

    def training_step(self, model: Any, inputs: Any, num_items_in_batch: Any = None) -> Any:
        """In parts, on one device; each one's loss is of all the step's tokens."""
        step = super().training_step
        parts = self._parts(inputs, num_items_in_batch)
        with self.attends(), self.fused.at_work():
            losses = [step(model, part, num_items_in_batch) for part in parts]
        return torch.stack(losses).sum()

    def _parts(self, inputs: Any, counted: Any) -> list[Any]:
        """Those of a flattened step; on a CPU parts of like length; else the whole."""
        if "parts" in inputs:
            return list(inputs["parts"])
        alone = self.accelerator.num_processes == 1 and self.args.device.type == "cpu"
        whole = counted is None or not self.model_accepts_loss_kwargs
        return [inputs] if whole or not alone else split(inputs)

    def _get_train_sampler(self, train_dataset: Any = None) -> ExampleOrder:
        return self.order

    def whole_weights(self) -> dict[str, Any]:
        """What `save_pretrained` is to be given where the model does not hold all its weights."""
        return {}


class _SharingTrainer(Sharing, _Trainer):
    pass


class _MasteringTrainer(Mastering, _Trainer):
    pass


def _trainer(place: Place, masters: bool) -> type[_Trainer]:
    if masters:
        return _MasteringTrainer
    if place.shards:
        from mtlab.training.sharding import Sharding

        return type("_ShardingTrainer", (Sharding, _SharingTrainer), {})
    return _SharingTrainer if place.shares else _Trainer


def _callbacks(place: Place, watcher: Watcher) -> list[Any]:
    if not place.shares:
        return [watcher]
    return [watcher, Agreement()] if place.leads else [Agreement()]


def _prepare_model(loaded: Loaded, training: Training) -> Any:
    model = loaded.model
    model.config.use_cache = True
    if training.method == "full":
        model.float()  # what is learnt is in fp32; see `masters` for bf16, elsewhere autocast
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
    loaded: Loaded,
    training: Training,
    seed: int,
    folder: Path,
    steps: int,
    place: Place,
    masters: bool,
    flat: bool,
) -> TrainingArguments:
    on_cpu = loaded.device == "cpu"
    checkpointing = bool(training.gradient_checkpointing)
    batch, accumulation = _required(training.batch_size), _required(training.accumulation)
    if flat:
        batch, accumulation = batch * accumulation, 1  # `batching.Flattener` divides a step
    shared: dict[str, Any] = {}
    if place.shares:
        accumulation = place.passes(batch * accumulation, batch)
        # Of a model that reads more than text, parts are not passed through.
        config = loaded.model.config
        shared = {"ddp_find_unused_parameters": config.get_text_config() is not config}
    if place.shards:
        shared = {"fsdp": True, "fsdp_config": {"version": 2}}
    return TrainingArguments(
        output_dir=str(folder),
        max_steps=steps,
        per_device_train_batch_size=batch,
        gradient_accumulation_steps=accumulation,
        learning_rate=training.learning_rate,
        lr_scheduler_type=training.schedule
        if training.warmup == 0 or training.schedule != "constant"
        else "constant_with_warmup",
        warmup_steps=math.ceil(steps * training.warmup),
        weight_decay=training.weight_decay,
        bf16=not masters and resolve_precision(training.precision, loaded.device) == "bf16",
        activation_checkpointing=checkpointing,
        activation_checkpointing_kwargs={"use_reentrant": False} if checkpointing else None,
        optim="adamw_torch_fused",
        logging_strategy="steps",
        logging_steps=max(1, steps // 1000),
        logging_nan_inf_filter=False,
        save_strategy="steps",
        save_steps=_required(training.checkpoint_steps),
        save_total_limit=None,  # `checkpoints.keep_newest` removes the older ones
        seed=seed,
        use_cpu=on_cpu,
        dataloader_pin_memory=not on_cpu,
        remove_unused_columns=False,
        report_to="none",
        disable_tqdm=True,
        log_level="error",
        **shared,
    )


def _save(trainer: _Trainer, loaded: Loaded, training: Training, folder: Path) -> Path:
    """Save under another name first, so that a folder of the right name is a whole one."""
    name = "model" if training.method == "full" else "adapter"
    weights = trainer.whole_weights()
    if not trainer.place.leads:
        return folder / name
    part, old, path = folder / f"{name}.part", folder / f"{name}.old", folder / name
    shutil.rmtree(part, ignore_errors=True)
    shutil.rmtree(old, ignore_errors=True)
    trainer.model.save_pretrained(str(part), safe_serialization=True, **weights)
    if name == "model":
        loaded.tokenizer.save_pretrained(str(part))
    if path.exists():  # of an attempt that was stopped
        path.rename(old)
    part.rename(path)
    shutil.rmtree(old, ignore_errors=True)
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


def _pass_tokens(loaded: Loaded, training: Training) -> int:
    torch.cuda.empty_cache()
    free, _ = torch.cuda.mem_get_info()
    trained = sum(one.numel() for one in loaded.model.parameters() if one.requires_grad)
    return pass_tokens(shape_in(loaded), training, trained, int(free))


def _pad_id(loaded: Loaded) -> int:
    pad = loaded.tokenizer.pad_token_id
    return int(pad if pad is not None else loaded.tokenizer.eos_token_id)


def _required(value: int | None) -> int:
    if value is None:
        raise ValueError("the training is not complete; see mtlab.defaults.complete")
    return value

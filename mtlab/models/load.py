"""Loading a base model or what a run made of it; nothing else in the lab does."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn

from mtlab.errors import InputError, MtlabError, NotAvailable
from mtlab.models.device import Precision, device_name, resolve_precision
from mtlab.models.facts import Shape, config_shape, explain_hub_error, inspect
from mtlab.presets import Base, resolve_base
from mtlab.settings import Settings
from mtlab.spec import RunSpec


@dataclass(frozen=True)
class Loaded:
    """A model in memory.

    Attributes:
        model: a transformers causal LM in evaluation mode.
        tokenizer: its tokenizer, with a pad token.
        device: `cpu`, `cuda` or `mps`.
        dtype_name: the weights' format, `fp32` or `bf16`.
        base: where it came from.
        revision: the hub's commit, when it is known.
    """

    model: Any
    tokenizer: Any
    device: str
    dtype_name: str
    base: Base
    revision: str | None

    @property
    def end_ids(self) -> tuple[int, ...]:
        """The tokens that end a text, by the tokenizer and the model's generation settings."""
        ends = {self.tokenizer.eos_token_id}
        configured = getattr(self.model.generation_config, "eos_token_id", None)
        ends.update(configured if isinstance(configured, list | tuple) else [configured])
        return tuple(sorted(end for end in ends if end is not None))

    @cached_property
    def line_ends(self) -> tuple[int, ...]:
        """The tokens that say nothing but that a line ends."""
        marks = ("\n", "\n\n")
        ids = (self.tokenizer(mark, add_special_tokens=False)["input_ids"] for mark in marks)
        return tuple(sorted({one[0] for one in ids if len(one) == 1}))

    @property
    def context(self) -> int | None:
        """The tokens the model can attend to, prompt and answer together; None: not known."""
        from mtlab.models.facts import config_context

        config = self.model.config
        return config_context(config.get_text_config().to_dict())


def load(
    base: Base,
    *,
    precision: Precision = "auto",
    revision: str | None = None,
    device: str | None = None,
    settings: Settings,
) -> Loaded:
    """Load a base model: safetensors only, no code from the hub; its adapters are merged in.

    Args:
        base: which one.
        precision: the format of the weights; `fp32` for full fine-tuning (`weights_precision`).
        revision: of a hub model.
        device: instead of the best there is.
        settings: the lab's.

    Raises:
        InputError: it is no causal language model, or cannot be loaded safely.
        NotAvailable: gated, the hub cannot be reached, or the memory does not suffice.
    """
    revision = revision or base.revision
    inspect(base, settings, revision)
    device = device or device_name()
    dtype_name = resolve_precision(precision, device)
    model = _from_pretrained(base, base.location, revision, dtype_name, device, settings)
    tokenizer = read_tokenizer(base, base.location, revision, settings)
    commit = getattr(model.config, "_commit_hash", None)
    loaded = Loaded(model, tokenizer, device, dtype_name, base, commit or revision)
    for adapter in base.adapters:
        loaded = _merged(loaded, adapter)
    return loaded


def shape_in(loaded: Loaded) -> Shape:
    """The shape of a model in memory; adapters are not counted."""
    model = loaded.model
    whole = sum(one.numel() for name, one in model.named_parameters() if "lora_" not in name)
    return config_shape(model.config.to_dict(), whole)


def load_run(
    run_dir: Path,
    spec: RunSpec,
    settings: Settings,
    *,
    precision: Precision | None = None,
    device: str | None = None,
) -> Loaded:
    """Load what a run made: its own model folder, or its base with the adapter merged in.

    Raises:
        InputError: the run has saved no model.
        NotAvailable: as `load`.
    """
    base = resolve_base(spec.base, settings)
    precision = precision or spec.training.precision
    folder = saved_model(run_dir)
    if folder.name == "model":
        device = device or device_name()
        dtype_name = resolve_precision(precision, device)
        model = _from_pretrained(base, str(folder), None, dtype_name, device, settings)
        tokenizer = read_tokenizer(base, str(folder), None, settings)
        return Loaded(model, tokenizer, device, dtype_name, base, None)
    loaded = load(
        base, precision=precision, revision=spec.revision, device=device, settings=settings
    )
    return _merged(loaded, folder)


def saved_model(run_dir: Path) -> Path:
    """What a run has made: its `model` folder, or its `adapter`.

    Raises:
        InputError: it has saved neither.
    """
    for name, mark in (("model", "config.json"), ("adapter", "adapter_config.json")):
        if (run_dir / name / mark).is_file():
            return run_dir / name
    raise InputError(
        f"the run '{run_dir.name}' has saved no model",
        field="model",
        fix="wait until it has finished, or resume it",
    )


def refuse_pickled_adapter(folder: Path) -> None:
    """Refuse an adapter that peft would have to unpickle.

    Raises:
        InputError: it has no safetensors file.
    """
    if not (folder / "adapter_model.safetensors").is_file():
        raise InputError(
            f"the adapter of run '{folder.parent.name}' has no safetensors file, and nothing else "
            "is loaded",
            field="model",
            fix="run it again",
        )


def weights_precision(spec: RunSpec) -> Precision:
    """The format to load a base in for training: full fine-tuning keeps fp32 master weights."""
    return "fp32" if spec.training.method == "full" else spec.training.precision


def _merged(loaded: Loaded, adapter: Path) -> Loaded:
    """The model with an adapter merged in: the base's own layers, as fast as an untuned model."""
    from peft import PeftModel

    refuse_pickled_adapter(adapter)

    with quiet():
        tuned = PeftModel.from_pretrained(loaded.model, str(adapter), torch_device=loaded.device)
        model = tuned.merge_and_unload().eval()
    # peft froze what it adapted; a run that goes on from here may train all of it.
    return replace(loaded, model=model.requires_grad_(True))


def _from_pretrained(
    base: Base,
    location: str,
    revision: str | None,
    dtype_name: str,
    device: str,
    settings: Settings,
) -> Any:
    import torch
    from transformers import AutoModelForCausalLM

    try:
        with quiet():
            model = AutoModelForCausalLM.from_pretrained(
                location,
                revision=revision,
                dtype=torch.bfloat16 if dtype_name == "bf16" else torch.float32,
                use_safetensors=True,
                trust_remote_code=False,
                local_files_only=settings.offline or base.path is not None,
                # Read into a GPU's memory without a copy of all in main memory.
                device_map={"": device} if device.startswith("cuda") else None,
            )
            if device.startswith("cuda"):
                # Its kernels are planned anew for each shape of a batch, which takes longer than
                # the attention, and there are hardly two of one shape.
                torch.backends.cuda.enable_cudnn_sdp(False)
            return model.to(device).eval()
    except (torch.OutOfMemoryError, MemoryError):
        raise NotAvailable(
            f"'{base.name}' does not fit into the memory of this machine",
            fix="choose a smaller base model",
        ) from None
    except Exception as error:  # noqa: BLE001 - every failure to load becomes a sentence
        explain_load_error(error, base)


def read_tokenizer(base: Base, location: str, revision: str | None, settings: Settings) -> Any:
    """The tokenizer at a location, with a pad token.

    Raises:
        InputError: there is none that transformers can read.
        NotAvailable: the hub cannot be reached.
    """
    from transformers import AutoTokenizer

    try:
        with quiet():
            tokenizer = AutoTokenizer.from_pretrained(
                location,
                revision=revision,
                trust_remote_code=False,
                local_files_only=settings.offline or base.path is not None,
            )
    except Exception as error:  # noqa: BLE001
        explain_load_error(error, base, part="tokenizer")
    if tokenizer.pad_token_id is None:
        # Padding is masked out, so that any token serves; the vocabulary must not grow.
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.unk_token
    return tokenizer


def explain_load_error(error: Exception, base: Base, part: str = "model") -> NoReturn:
    """Raise what the user should read for a failure to load.

    Raises:
        InputError: it cannot be loaded, or not safely.
        NotAvailable: the hub cannot be reached.
    """
    if isinstance(error, MtlabError):
        raise error
    text = str(error)
    if "trust_remote_code" in text:
        raise InputError(
            f"'{base.name}' needs code of its own, which is never run",
            field="base",
            fix="choose a model whose architecture is part of transformers",
        ) from None
    if base.repo is not None and not isinstance(error, ValueError | TypeError | KeyError):
        explain_hub_error(error, base)
    raise InputError(
        f"the {part} of '{base.name}' cannot be loaded",
        field="base",
        why=text.splitlines()[0][:200] if text else type(error).__name__,
        fix="choose a whole model that transformers can read",
    ) from error


@contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers' and peft's progress bars and notes out of a run's log."""
    from transformers.utils import logging as transformers_logging

    level = transformers_logging.get_verbosity()
    bars = transformers_logging.is_progress_bar_enabled()
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    logging.getLogger("peft").setLevel(logging.ERROR)
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        transformers_logging.set_verbosity(level)
        if bars:
            transformers_logging.enable_progress_bar()

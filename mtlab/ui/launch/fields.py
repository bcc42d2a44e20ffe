"""One field of the form: its label, its explanation with the default, its component."""

from __future__ import annotations

from typing import Any

import gradio as gr

from mtlab.fields import choices_of, default_in_words, explanation, types_of
from mtlab.ui.form import BLANK, PATHS

LABELS: dict[str, str] = {
    "base": "Base model",
    "method": "Fine-tuning method",
    "size": "Training pairs",
    "train": "Training directions",
    "noise_kind": "Noise",
    "noise_side": "Noise side",
    "noise_ratio": "Noise ratio (share of pairs)",
    "translator": "Translator",
    "dictionary": "Dictionary in the MUSE format",
    "dictionary_path": "Or its path on this machine",
    "terms": "Terms, one a line",
    "terms_path": "Or their path on this machine",
    "language": "Wrong language",
    "seed": "Seeds",
    "test": "Test directions",
    "upload": "Your own pairs (TSV, CSV or JSONL), in place of the corpus",
    "corpus": "Corpus",
    "balance": "Share of each direction",
    "reverse": "Reversed pairs",
    "test_corpus": "Test corpus",
    "test_limit": "Test segments per direction",
    "metrics": "Metrics",
    "comet_model": "COMET model",
    "score_base": "Score the untuned base",
    "probe_size": "Probe segments",
    "learning_rate": "Learning rate",
    "steps": "Optimizer steps",
    "batch_size": "Batch size",
    "accumulation": "Accumulation",
    "schedule": "Schedule",
    "warmup": "Warm-up",
    "weight_decay": "Weight decay",
    "precision": "Precision",
    "gradient_checkpointing": "Gradient checkpointing",
    "max_length": "Maximum length",
    "checkpoint_steps": "Steps between checkpoints",
    "lora_rank": "LoRA rank",
    "lora_alpha": "LoRA alpha",
    "lora_dropout": "LoRA dropout",
    "lora_targets": "LoRA targets",
    "strategy": "Search strategy",
    "beams": "Beams",
    "max_new_tokens": "New tokens at most",
    "temperature": "Temperature",
    "top_p": "Top-p",
    "token_budget": "Token budget",
    "backend": "Decoding backend",
    "decoding_precision": "Precision of CTranslate2",
    "devices": "Devices",
    "sharing": "Strategy of several devices",
    "template": "Prompt template",
    "revision": "Revision of the base",
    "name": "Name of the run",
    "group": "Group",
}
"""What the fields are called."""

_YES_NO = [("By default", ""), ("Yes", "yes"), ("No", "no")]


def element_id(name: str) -> str:
    """The id of a field's component on the page."""
    return name.replace("_", "-")


def told(name: str) -> str:
    """A field's explanation and its default, in sentences."""
    said = explanation(PATHS[name])
    return f"{said[0].upper()}{said[1:]}. Default: {default_in_words(PATHS[name])}."


def field(name: str) -> Any:
    """The component of a field under Advanced, by the type that the spec gives it."""
    path = PATHS[name]
    shared: dict[str, Any] = {
        "value": BLANK[name],
        "label": LABELS[name],
        "info": told(name),
        "elem_id": element_id(name),
    }
    choices = choices_of(path)
    types = types_of(path)
    if choices and isinstance(BLANK[name], list):
        chips = [(_title(one), one) for one in choices]
        return gr.CheckboxGroup(chips, elem_classes="chips", **shared)
    if choices:
        return gr.Dropdown([(_title(one), one) for one in choices], min_width=150, **shared)
    if bool in types and type(None) in types:
        return gr.Dropdown(_YES_NO, min_width=150, **shared)
    if bool in types:
        return gr.Checkbox(**shared)
    return gr.Textbox(placeholder=default_in_words(path), max_lines=1, min_width=150, **shared)


def _title(choice: str) -> str:
    titles = {
        "bleu": "BLEU", "chrf": "chrF", "comet": "COMET", "fp32": "fp32", "bf16": "bf16",
        "int8": "int8", "transformers": "transformers", "ctranslate2": "CTranslate2",
        "vllm": "vLLM", "ddp": "DDP", "fsdp": "FSDP",
    }  # fmt: skip
    return titles.get(choice, choice.capitalize())

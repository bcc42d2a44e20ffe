"""Everything else that a run may be told, in groups; each field says what it is for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr

from mtlab import corpora
from mtlab.ui.form import BLANK
from mtlab.ui.launch.fields import LABELS, element_id, field, told

TRAINED = ("Training", "LoRA")
"""The groups that are of no use where nothing is trained."""

_GROUPS: dict[str, tuple[tuple[str, ...], ...]] = {
    "Data": (
        ("corpus",), ("upload",), ("balance", "reverse"), ("test_corpus", "test_limit"),
    ),
    "Scores": (("metrics",), ("comet_model",), ("score_base", "probe_size")),
    "Training": (
        ("learning_rate", "steps"), ("batch_size", "accumulation"), ("schedule", "warmup"),
        ("weight_decay", "precision"), ("gradient_checkpointing", "max_length"),
        ("checkpoint_steps",),
    ),
    "LoRA": (("lora_rank", "lora_alpha"), ("lora_dropout", "lora_targets")),
    "Decoding": (
        ("strategy", "beams"), ("max_new_tokens", "token_budget"), ("temperature", "top_p"),
        ("backend", "decoding_precision"),
    ),
    "Devices": (("devices", "sharing"),),
    "Prompt and base": (("template",), ("revision",)),
    "Names": (("name", "group"),),
}  # fmt: skip

ADVANCED = tuple(name for rows in _GROUPS.values() for row in rows for name in row)
"""The fields of the form that stand under Advanced."""


def advanced_fields(form: dict[str, Any]) -> tuple[gr.Accordion, list[Any]]:
    """Add the fields to the form; gives the accordion, and the groups for trained runs alone."""
    trained: list[Any] = []
    with gr.Accordion("Advanced", open=False, elem_id="advanced") as accordion:
        for title, rows in _GROUPS.items():
            with gr.Column(elem_classes="field-group") as group:
                gr.HTML(f"<h4>{title}</h4>")
                for row in rows:
                    with gr.Row():
                        for name in row:
                            form[name] = _SPECIAL.get(name, field)(name)
            if title in TRAINED:
                trained.append(group)
    return accordion, trained


def differs(values: Mapping[str, Any]) -> bool:
    """Whether something under Advanced is not as it was untouched."""
    return any(values[name] != BLANK[name] for name in ADVANCED if name in values)


def _corpus(name: str) -> gr.Dropdown:
    return gr.Dropdown(
        [(title, corpus) for corpus, title in corpora.corpus_names()],
        value=BLANK[name],
        label=LABELS[name],
        info=told(name),
        elem_id=element_id(name),
        allow_custom_value=True,
    )


def _upload(name: str) -> gr.File:
    return gr.File(
        label=LABELS[name],
        file_types=[".tsv", ".csv", ".jsonl"],
        height=80,
        elem_id=element_id(name),
    )


def _template(name: str) -> gr.Textbox:
    return gr.Textbox(
        BLANK[name], label=LABELS[name], info=told(name), elem_id=element_id(name), lines=3
    )


def _short(name: str) -> gr.Textbox:
    return gr.Textbox(
        BLANK[name],
        label=LABELS[name],
        info=told(name),
        elem_id=element_id(name),
        max_lines=1,
        max_length=120,
    )


_SPECIAL = {
    "corpus": _corpus,
    "upload": _upload,
    "template": _template,
    "name": _short,
    "group": _short,
}

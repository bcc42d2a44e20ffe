"""Finished runs that can be shared: their weights are real and load, but nothing was trained."""

from __future__ import annotations

import shutil
from typing import Any

from mtlab.runs.files import read_lines, write_json, write_lines
from mtlab.runs.store import RunRecord, RunStore
from mtlab.settings import ASSETS
from tests.finished_runs import finished_run

SOURCES = ("Wo ist die nächste Apotheke?", "Der Zug fährt um halb neun ab.", "Ich lese ein Buch.")


def lora_run(store: RunStore, **fields: Any) -> RunRecord:
    """Write a finished run with a seeded adapter of nano that changes what it says."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    told = {
        "training": {"method": "lora", "precision": "fp32"},
        "decoding": {"max_new_tokens": 16, "beams": 2},
        "size": 8,
        "score_base": True,
        **fields,
    }
    record = finished_run(store, {"de-en": 0.3, "en-de": 0.5}, off_target={"en-de": 0.25}, **told)
    for path in (record.folder / "translations").glob("*.jsonl"):
        rows = read_lines(path)
        for row, source in zip(rows, SOURCES, strict=False):
            row["source"] = source
        write_lines(path, rows)
    write_json(
        record.folder / "provenance.json",
        {
            "base": {"name": str(ASSETS / "nano"), "revision": None, "digest": "d"},
            "versions": {"torch": "2.13.0"},
            "digests": {"pairs": "p"},
            "machine": {"cores": 2},
        },
    )
    torch.manual_seed(0)
    config = LoraConfig(
        r=4, lora_alpha=8, target_modules="all-linear", init_lora_weights=False,
        task_type="CAUSAL_LM",
    )  # fmt: skip
    base = AutoModelForCausalLM.from_pretrained(ASSETS / "nano")
    get_peft_model(base, config).save_pretrained(record.folder / "adapter")
    return record


def full_run(store: RunStore) -> RunRecord:
    """Write a finished run of full fine-tuning whose model is nano itself."""
    record = finished_run(store, {"de-en": 0.3}, training={"method": "full"})
    shutil.copytree(ASSETS / "nano", record.folder / "model")
    return record

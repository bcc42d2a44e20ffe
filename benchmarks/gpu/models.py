"""Random Llamas in folders: what a step costs does not depend on what weights have learnt."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.gpu.device import device, release
from mtlab.bench.training_task import LORA_RANK
from mtlab.defaults import LARGE
from mtlab.models import asked_tokens, quiet
from mtlab.models.facts import ModelFacts, Shape
from mtlab.models.memory import NOTHING, Held, estimate
from mtlab.models.room import available_memory
from mtlab.settings import ASSETS
from mtlab.spec import Training


@dataclass(frozen=True)
class Llama:
    """A Llama's shape.

    Attributes:
        hidden: width.
        inner: of a layer's feed-forward part.
        layers: depth.
        heads: of attention; each has keys and values of its own, as in Llama 2 7B.
        vocabulary: tokens.
    """

    hidden: int
    inner: int
    layers: int
    heads: int
    vocabulary: int

    @property
    def shape(self) -> Shape:
        """As the lab's formulas take it."""
        tables = 2 * self.vocabulary * self.hidden
        layer = 4 * self.hidden**2 + 3 * self.hidden * self.inner + 2 * self.hidden
        facts = ModelFacts(
            parameters=tables + self.layers * layer + self.hidden, bytes=0,
            architecture="LlamaForCausalLM", is_causal=True, has_pickled_only=False, context=4096,
            hidden=self.hidden, layers=self.layers, vocabulary=self.vocabulary, inner=self.inner,
            kv_width=self.hidden, tied=False,
        )  # fmt: skip
        return facts.shape

    def folder(self, place: Path) -> Path:
        """Its folder among others; written there unless it is there already.

        The weights are in bf16, as models of this size are published. The tokenizer is nano's, the
        ids of which all fit into the vocabulary.
        """
        folder = place / f"llama-{self.hidden}-{self.layers}"
        if not (folder / _WHOLE).exists():
            self._write(folder)
        return folder

    def _write(self, folder: Path) -> None:
        import torch
        from transformers import LlamaConfig, LlamaForCausalLM

        config = LlamaConfig(
            vocab_size=self.vocabulary, hidden_size=self.hidden, intermediate_size=self.inner,
            num_hidden_layers=self.layers, num_attention_heads=self.heads,
            max_position_embeddings=4096, bos_token_id=1, eos_token_id=2, pad_token_id=0,
            dtype="bfloat16",
        )  # fmt: skip
        torch.manual_seed(0)
        before = torch.get_default_dtype()
        torch.set_default_dtype(torch.bfloat16)
        try:
            with torch.device(device()):
                model: Any = LlamaForCausalLM(config)
        finally:
            torch.set_default_dtype(before)
        with quiet():
            model.save_pretrained(folder)
        for name in ("tokenizer.json", "tokenizer_config.json"):
            shutil.copy(ASSETS / "nano" / name, folder)
        (folder / _WHOLE).touch()
        del model
        release()


_WHOLE = "written-by-benchmarks-gpu"
"""The last file that is written into a folder."""


def training_of(method: str, batch: int, length: int) -> Training:
    """How the lab trains a model of this size by default, activations kept."""
    passes = min(LARGE.passes, batch)
    return Training(
        method=method, batch_size=passes, accumulation=batch // passes, max_length=length,
        lora_rank=LORA_RANK, precision="auto", gradient_checkpointing=False,
    )  # fmt: skip


def that_fits(llama: Llama, training: Training) -> Llama:
    """The model that can be trained in the memory that is free.

    Where not all of it can, it loses layers: what one costs does not depend on how many there are,
    so that the share of the device's rate is much the same, which an H100 can tell where it takes
    an H200 to train all of them.
    """
    free, where = available_memory()
    tokens = asked_tokens(training)

    def fits(layers: int) -> bool:
        held = Held(tokens, tokens, 1, NOTHING, NOTHING)
        shape = replace(llama, layers=layers).shape
        return estimate(shape, training, free, where, held).total <= free

    layers = next((one for one in range(llama.layers, 1, -1) if fits(one)), 1)
    return replace(llama, layers=layers)

"""The model that is trained, and its tokenizer: a small Llama, new or taken from a base."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from mtlab.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from transformers import LlamaConfig, PreTrainedModel, PreTrainedTokenizerBase

PAD, START, END = "<pad>", "<s>", "</s>"  # ids 0, 1, 2


def llama_config(*, layers: int, hidden: int, heads: int, vocab: int) -> LlamaConfig:
    """A Llama of this size: gated layers of 8/3 the width, tied embeddings, 1,024 positions.

    Raises:
        InputError: a width that the heads do not divide into even parts.
    """
    from transformers import LlamaConfig

    if hidden % heads or (hidden // heads) % 2:
        raise InputError(
            f"{hidden} is not {heads} heads of an even width",
            field="hidden",
            fix=f"use a multiple of {2 * heads}",
        )
    return LlamaConfig(
        vocab_size=vocab,
        hidden_size=hidden,
        intermediate_size=-(-hidden * 8 // 3 // 32) * 32,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=heads,
        max_position_embeddings=1024,
        rms_norm_eps=1e-6,
        tie_word_embeddings=True,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
    )


def new_tokenizer(texts: Iterable[str], vocab: int) -> PreTrainedTokenizerBase:
    """A byte-level BPE tokenizer of `vocab` pieces learnt from `texts`; it marks the start."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab,
        special_tokens=[PAD, START, END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token=PAD, bos_token=START, eos_token=END
    )
    _mark_the_start(fast)
    return fast


def load_base(folder: Path) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """A base model to go on from, in fp32, and its tokenizer, which marks the start of a text.

    Raises:
        InputError: a folder without a model in safetensors.
    """
    from transformers import AutoModelForCausalLM, AutoTokenizer

    if not (folder / "config.json").exists() or not list(folder.glob("*.safetensors")):
        raise InputError(
            f"{folder} holds no model",
            field="from",
            fix="name a folder with config.json and safetensors files",
        )
    model = AutoModelForCausalLM.from_pretrained(
        folder, dtype="float32", use_safetensors=True, trust_remote_code=False
    )
    tokenizer = AutoTokenizer.from_pretrained(folder)
    _mark_the_start(tokenizer)
    return model, tokenizer


def _mark_the_start(tokenizer: PreTrainedTokenizerBase) -> None:
    """Have the tokenizer open every text with its start mark, as every document is opened."""
    from tokenizers import processors

    mark, number = tokenizer.bos_token, tokenizer.bos_token_id
    if mark is not None and tokenizer("a")["input_ids"][0] != number:
        tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{mark} $A", special_tokens=[(mark, number)]
        )

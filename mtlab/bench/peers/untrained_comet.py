"""Checkpoints of unbabel-comet's own classes around an encoder that nobody trained.

Run by COMET's own interpreter, by its path, as all programs here: it imports nothing of mtlab.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

SPECIAL = ["<s>", "<pad>", "</s>", "<unk>"]


def save_encoder(
    folder: Path, texts: list[str], *, vocabulary: int, hidden: int, layers: int, heads: int
) -> None:
    """Write a Unigram tokenizer trained on texts, and the configuration of an XLM-R of that size.

    Args:
        folder: where to; made where it is not there.
        texts: the more, the closer the vocabulary comes to its size.
        vocabulary: the most pieces that there may be.
        hidden: the encoder's width.
        layers: how many it has.
        heads: of each layer's attention.
    """
    from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers
    from transformers import XLMRobertaConfig, XLMRobertaTokenizerFast

    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=vocabulary, special_tokens=SPECIAL, unk_token="<unk>", show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", 0), ("</s>", 2)],
    )
    XLMRobertaTokenizerFast(tokenizer_object=tokenizer).save_pretrained(folder)
    XLMRobertaConfig(
        vocab_size=tokenizer.get_vocab_size() + 1,
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=4 * hidden,
        max_position_embeddings=514,
        type_vocab_size=1,
        bos_token_id=0,
        pad_token_id=1,
        eos_token_id=2,
    ).save_pretrained(folder)


def settings_of(encoder: Path, hidden: int) -> dict[str, Any]:
    """What every metric around such an encoder is made with.

    Args:
        encoder: as `save_encoder` wrote it.
        hidden: the width of the metric's own layer.
    """
    return {
        "encoder_model": "XLM-RoBERTa",
        "pretrained_model": str(encoder),
        "layer_norm": False,
        "dropout": 0.0,
        "hidden_sizes": [hidden],
        "load_pretrained_weights": False,
        "local_files_only": True,
    }


def save_metric(model: Any, folder: Path) -> Path:
    """Write a metric as unbabel-comet lays it out; returns the checkpoint's path."""
    import torch
    import yaml

    checkpoint = folder / "checkpoints" / "model.ckpt"
    checkpoint.parent.mkdir(parents=True)
    content = {
        "state_dict": model.state_dict(),
        "hyper_parameters": dict(model.hparams),
        "pytorch-lightning_version": "2.0.0",
    }
    torch.save(content, checkpoint)
    (folder / "hparams.yaml").write_text(yaml.safe_dump(dict(model.hparams)), encoding="utf-8")
    return checkpoint

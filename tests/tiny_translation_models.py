"""Translation models of random weights, small enough to be made in a test."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

TEXT = [
    "Where is the station?", "Wo ist der Bahnhof?", "The house is red.", "Das Haus ist rot.",
    "I am reading a book.", "Ich lese ein Buch.", "It is raining.", "Es regnet heute sehr stark.",
]  # fmt: skip
_SPECIALS = ["<s>", "<pad>", "</s>", "<unk>"]
_SIZES: dict[str, Any] = {
    "d_model": 16, "encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 2,
    "decoder_attention_heads": 2, "encoder_ffn_dim": 16, "decoder_ffn_dim": 16,
    "max_position_embeddings": 64, "init_std": 0.5, "max_length": None,
}  # fmt: skip


def opus(folder: Path, source: str = "de", target: str = "en", marks: tuple[str, ...] = ()) -> Path:
    """A Marian model from one language into another, or into those that `marks` name."""
    from transformers import MarianConfig, MarianMTModel

    pieces = _sentencepiece(folder / "source.spm")
    (folder / "target.spm").write_bytes((folder / "source.spm").read_bytes())
    names = ["</s>", "<unk>", *pieces, *marks, "<pad>"]
    _write(folder / "vocab.json", {name: number for number, name in enumerate(names)})
    _write(
        folder / "tokenizer_config.json",
        {"tokenizer_class": "MarianTokenizer", "source_lang": source, "target_lang": target},
    )
    pad = len(names) - 1
    config = MarianConfig(
        vocab_size=len(names), pad_token_id=pad, decoder_start_token_id=pad, eos_token_id=0,
        forced_eos_token_id=0, **_SIZES,
    )  # fmt: skip
    return _saved(MarianMTModel, config, folder)


def m2m(folder: Path) -> Path:
    """An M2M-100 model; its tokenizer knows a hundred languages, Icelandic among them."""
    from transformers import M2M100Config, M2M100ForConditionalGeneration

    pieces = _sentencepiece(folder / "sentencepiece.bpe.model")
    names = [*_SPECIALS, *pieces]
    _write(folder / "vocab.json", {name: number for number, name in enumerate(names)})
    _write(folder / "tokenizer_config.json", {"tokenizer_class": "M2M100Tokenizer"})
    size = len(names) + 100 + 8
    config = M2M100Config(
        vocab_size=size, pad_token_id=1, bos_token_id=0, eos_token_id=2,
        decoder_start_token_id=2, **_SIZES,
    )  # fmt: skip
    return _saved(M2M100ForConditionalGeneration, config, folder)


def nllb(folder: Path) -> Path:
    """An NLLB model: the same architecture, with codes such as `deu_Latn`."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import M2M100Config, M2M100ForConditionalGeneration, NllbTokenizer

    backend = Tokenizer(models.BPE(unk_token="<unk>"))
    backend.pre_tokenizer = pre_tokenizers.Metaspace()
    backend.decoder = decoders.Metaspace()
    trainer = trainers.BpeTrainer(vocab_size=120, special_tokens=_SPECIALS, show_progress=False)
    backend.train_from_iterator(TEXT, trainer)
    model = json.loads(backend.to_str())["model"]
    merges = [tuple(merge) for merge in model["merges"]]
    tokenizer = NllbTokenizer(vocab=model["vocab"], merges=merges)
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save_pretrained(folder)
    config = M2M100Config(
        vocab_size=len(tokenizer), pad_token_id=1, bos_token_id=0, eos_token_id=2,
        decoder_start_token_id=2, **_SIZES,
    )  # fmt: skip
    return _saved(M2M100ForConditionalGeneration, config, folder)


def _sentencepiece(path: Path) -> list[str]:
    """Train a model of pieces there; its pieces, without the special ones."""
    import sentencepiece

    path.parent.mkdir(parents=True, exist_ok=True)
    written = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXT), model_writer=written, vocab_size=44, minloglevel=2
    )
    path.write_bytes(written.getvalue())
    pieces = sentencepiece.SentencePieceProcessor(model_proto=written.getvalue())
    found = [pieces.id_to_piece(number) for number in range(pieces.get_piece_size())]
    return [piece for piece in found if piece not in ("<unk>", "<s>", "</s>")]


def _saved(kind: Any, config: Any, folder: Path) -> Path:
    import torch

    torch.manual_seed(1)
    kind(config).save_pretrained(folder)
    return folder


def _write(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")

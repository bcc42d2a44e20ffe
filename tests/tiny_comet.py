"""Make tiny, real COMET checkpoints and what they predict; run by COMET's own interpreter.

    PYTHON tiny_comet.py FOLDER < {"pairs": [[source, reference]], "samples": [{src, mt, ref}]}

Writes FOLDER/regression and FOLDER/unified, each a checkpoint as unbabel-comet saves it, with the
samples' scores by the model's own `predict` in predicted.json. Each model is unbabel-comet's own
class around an XLM-R of some 56,000 parameters. The first learns, in a few seconds, the chrF of
hypotheses made from the references: copies, copies with words left out, other references,
nonsense. Scores depend on the versions of what is installed: assert orders and agreements, never
values.
"""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path

import torch
import yaml
from comet import load_from_checkpoint
from comet.models import RegressionMetric, UnifiedMetric
from sacrebleu.metrics import CHRF
from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers
from transformers import XLMRobertaConfig, XLMRobertaTokenizerFast

STEPS = 60
SPECIAL = ["<s>", "<pad>", "</s>", "<unk>"]


def save_encoder(folder: Path, texts: list[str]) -> None:
    """Write a Unigram tokenizer trained on the texts, and the configuration of a tiny XLM-R."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=500, special_tokens=SPECIAL, unk_token="<unk>", show_progress=False
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
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=514,
        type_vocab_size=1,
        bos_token_id=0,
        pad_token_id=1,
        eos_token_id=2,
    ).save_pretrained(folder)


def make_model(kind: str, encoder: Path) -> RegressionMetric | UnifiedMetric:
    """Make an untrained metric around the encoder's configuration."""
    common = {
        "encoder_model": "XLM-RoBERTa",
        "pretrained_model": str(encoder),
        "layer_norm": False,
        "dropout": 0.0,
        "hidden_sizes": [32],
        "load_pretrained_weights": False,
        "local_files_only": True,
    }
    if kind == "regression":
        return RegressionMetric(layer="mix", pool="avg", **common)
    return UnifiedMetric(input_segments=["mt", "src", "ref"], sent_layer="mix", **common)


def examples(pairs: list[list[str]], draw: random.Random) -> list[dict[str, object]]:
    """Sixteen pairs with hypotheses of every quality, and the chrF of each."""
    chrf = CHRF()
    rows = []
    for source, reference in draw.sample(pairs, min(16, len(pairs))):
        words = reference.split()
        hypothesis = draw.choice(
            [
                reference,
                " ".join(word for word in words if draw.random() < 0.6),
                draw.choice(pairs)[1],
                "".join(draw.sample(reference, len(reference))),
            ]
        )
        score = chrf.sentence_score(hypothesis, [reference]).score / 100
        rows.append({"src": source, "mt": hypothesis, "ref": reference, "score": score})
    return rows


def train(model: RegressionMetric, pairs: list[list[str]]) -> None:
    """Fit the model to chrF, for `STEPS` steps."""
    for parameter in model.parameters():
        parameter.requires_grad_(True)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    draw = random.Random(1)
    for _ in range(STEPS):
        inputs, targets = model.prepare_sample(examples(pairs, draw), stage="fit")
        loss = model.compute_loss(model(**inputs), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def save(model: RegressionMetric | UnifiedMetric, folder: Path) -> Path:
    """Write a checkpoint as unbabel-comet lays it out."""
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


def main() -> None:
    """Build, train, save, predict."""
    folder, given = Path(sys.argv[1]), json.load(sys.stdin)
    torch.manual_seed(1)
    save_encoder(folder / "encoder", [text for pair in given["pairs"] for text in pair])
    for kind in ("regression", "unified"):
        model = make_model(kind, folder / "encoder")
        if kind == "regression":
            train(model.train(), given["pairs"])
        loaded = load_from_checkpoint(str(save(model, folder / kind)), local_files_only=True)
        predicted = loaded.predict(given["samples"], gpus=0, num_workers=0, progress_bar=False)
        (folder / kind / "predicted.json").write_text(json.dumps(predicted.scores), "utf-8")


if __name__ == "__main__":
    main()

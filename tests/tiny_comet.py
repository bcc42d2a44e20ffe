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
from comet import load_from_checkpoint
from comet.models import RegressionMetric, UnifiedMetric
from sacrebleu.metrics import CHRF

PEERS = Path(__file__).resolve().parents[1] / "mtlab" / "bench" / "peers"
sys.path.insert(0, str(PEERS))  # run by its path, it is in no package
from untrained_comet import save_encoder, save_metric, settings_of  # noqa: E402

STEPS = 60
WIDTH = 32


def make_model(kind: str, encoder: Path) -> RegressionMetric | UnifiedMetric:
    """Make an untrained metric around the encoder's configuration."""
    common = settings_of(encoder, WIDTH)
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


def main() -> None:
    """Build, train, save, predict."""
    folder, given = Path(sys.argv[1]), json.load(sys.stdin)
    torch.manual_seed(1)
    texts = [text for pair in given["pairs"] for text in pair]
    save_encoder(folder / "encoder", texts, vocabulary=500, hidden=WIDTH, layers=2, heads=2)
    for kind in ("regression", "unified"):
        model = make_model(kind, folder / "encoder")
        if kind == "regression":
            train(model.train(), given["pairs"])
        loaded = load_from_checkpoint(str(save_metric(model, folder / kind)), local_files_only=True)
        predicted = loaded.predict(given["samples"], gpus=0, num_workers=0, progress_bar=False)
        (folder / kind / "predicted.json").write_text(json.dumps(predicted.scores), "utf-8")


if __name__ == "__main__":
    main()

"""unbabel-comet as its users run it, in its own environment; told over stdin, see `bench.peer`.

    {"command": "build", "folder", "texts", "hidden", "layers"} -> {}
        a `RegressionMetric` of random weights: scores that mean nothing, made at the true cost
    {"command": "prepare", "checkpoint", "how": "comet-score" | "comet-predict"}
        -> {PACKAGE: VERSION}
    {"command": "lap", "sources", "references", "systems"} -> {"seconds", "cpu", "scores"}

`comet-score` is the package's own command, called in this process with its defaults on a CPU, so
that loading, which a lap does not count, happens once: it halves the model. `comet-predict` is the
package's Python interface in fp32.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

SPECIAL = ["<s>", "<pad>", "</s>", "<unk>"]


def build(folder: str, texts: list[str], hidden: int, layers: int) -> dict[str, Any]:
    """Write a checkpoint of unbabel-comet's own class, untrained, its tokenizer made from texts."""
    import torch
    import yaml
    from comet.models import RegressionMetric
    from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers
    from transformers import XLMRobertaConfig, XLMRobertaTokenizerFast

    torch.manual_seed(1)
    encoder = Path(folder) / "encoder"
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=8000, special_tokens=SPECIAL, unk_token="<unk>", show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", 0), ("</s>", 2)],
    )
    XLMRobertaTokenizerFast(tokenizer_object=tokenizer).save_pretrained(encoder)
    XLMRobertaConfig(
        vocab_size=tokenizer.get_vocab_size() + 1,
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=hidden // 64,
        intermediate_size=4 * hidden,
        max_position_embeddings=514,
        type_vocab_size=1,
        bos_token_id=0,
        pad_token_id=1,
        eos_token_id=2,
    ).save_pretrained(encoder)
    model = RegressionMetric(
        encoder_model="XLM-RoBERTa",
        pretrained_model=str(encoder),
        layer="mix",
        pool="avg",
        layer_norm=False,
        dropout=0.0,
        hidden_sizes=[256],
        load_pretrained_weights=False,
        local_files_only=True,
    )
    checkpoint = Path(folder) / "checkpoints" / "model.ckpt"
    checkpoint.parent.mkdir()
    content = {
        "state_dict": model.state_dict(),
        "hyper_parameters": dict(model.hparams),
        "pytorch-lightning_version": "2.0.0",
    }
    torch.save(content, checkpoint)
    (Path(folder) / "hparams.yaml").write_text(yaml.safe_dump(dict(model.hparams)), "utf-8")
    return {}


class Scorer:
    """A loaded checkpoint and the way it is asked."""

    def __init__(self) -> None:
        self.model: Any = None
        self.how = ""
        self.checkpoint = ""

    def prepare(self, checkpoint: str, how: str) -> dict[str, Any]:
        """Load the checkpoint."""
        import importlib.metadata

        import torch
        from comet import load_from_checkpoint

        self.how, self.checkpoint = how, checkpoint
        self.model = load_from_checkpoint(checkpoint, local_files_only=True)
        versions = {"torch": torch.__version__, "python": sys.version.split()[0]}
        return {"unbabel-comet": importlib.metadata.version("unbabel-comet"), **versions}

    def lap(
        self, sources: list[str], references: list[str], systems: dict[str, list[str]]
    ) -> dict[str, Any]:
        """Score all systems once, timed."""
        act = self._command if self.how == "comet-score" else self._predict
        began, cpu = time.perf_counter(), time.process_time()
        scores = act(sources, references, systems)
        return {
            "seconds": time.perf_counter() - began,
            "cpu": time.process_time() - cpu,
            "scores": scores,
        }

    def _predict(
        self, sources: list[str], references: list[str], systems: dict[str, list[str]]
    ) -> list[float]:
        scores: list[float] = []
        for lines in systems.values():
            rows = zip(sources, lines, references, strict=True)
            samples = [{"src": src, "mt": mt, "ref": ref} for src, mt, ref in rows]
            output = self.model.predict(
                samples, batch_size=16, gpus=0, num_workers=0, progress_bar=False
            )
            scores += map(float, output.scores)
        return scores

    def _command(
        self, sources: list[str], references: list[str], systems: dict[str, list[str]]
    ) -> list[float]:
        from comet.cli import score

        score.load_from_checkpoint = lambda path: self.model
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            files = {"src": sources, "ref": references, **systems}
            for file, lines in files.items():
                (folder / file).write_text("".join(f"{line}\n" for line in lines), "utf-8")
            made = folder / "scores.json"
            sys.argv = ["comet-score", "-s", str(folder / "src"), "-r", str(folder / "ref"), "-t"]
            sys.argv += [str(folder / system) for system in systems]
            sys.argv += ["--gpus", "0", "--quiet", "--only_system", "--to_json", str(made)]
            sys.argv += ["--model", self.checkpoint]
            score.score_command()
            rows = json.loads(made.read_text("utf-8"))
        return [float(row["COMET"]) for system in rows.values() for row in system]


def main() -> None:
    """Listen until the parent closes the input."""
    sys.path.insert(0, str(Path(__file__).parent))  # run by its path, it is in no package
    from listening import listen

    scorer = Scorer()
    listen({"build": build, "prepare": scorer.prepare, "lap": scorer.lap})


if __name__ == "__main__":
    main()

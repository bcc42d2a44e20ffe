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


def build(folder: str, texts: list[str], hidden: int, layers: int) -> dict[str, Any]:
    """Write a checkpoint of unbabel-comet's own class, untrained, its tokenizer made from texts."""
    import torch
    from comet.models import RegressionMetric
    from untrained_comet import save_encoder, save_metric, settings_of

    torch.manual_seed(1)
    encoder = Path(folder) / "encoder"
    save_encoder(encoder, texts, vocabulary=8000, hidden=hidden, layers=layers, heads=hidden // 64)
    model = RegressionMetric(layer="mix", pool="avg", **settings_of(encoder, 256))
    save_metric(model, Path(folder))
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

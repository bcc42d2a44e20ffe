"""The program that scores with COMET, run by the interpreter of its own environment.

It stands alone: nothing of mtlab is imported, and this folder is run by its path with `python -I`.
A line of JSON in is a command, lines of JSON out are its answer; what libraries print goes to
stderr.

    {"command": "load", "model": NAME | PATH, "offline": bool, "store": PATH of embeddings}
        -> {"kind": "loaded", "model", "revision", "comet", "precision", "device", "references"}
    {"command": "score", "sources": [...], "references": [...], "systems": {NAME: [...]}}
        -> {"kind": "progress", "share"} ... {"kind": "scores", "segments": {NAME: [...]},
            "encoded": inputs computed, "cut": {NAME: inputs over the limit}, "limit": tokens}
    any failure -> {"kind": "error", "why", "fix"}, and the worker goes on listening

Scores are fp32. A `RegressionMetric` (wmt22-comet-da and its kin) embeds source, hypothesis and
reference separately, so each distinct text is encoded once, whichever systems, calls and runs it
comes from (`embedding_store`). Any other model reads the three jointly: there only the scores of
identical segments are shared.

When stdin closes, the parent is gone and the worker ends at once, even in the middle of a batch.
What it has computed by then, whole batches from the front of a fixed order, is kept: the next
worker finds the same batches left, and the scores are, bit for bit, those of one that lived on.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import math
import os
import queue
import struct
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from embedding_store import EmbeddingStore  # this folder is what is run

TOKENS_PER_BATCH = {"cpu": 2048, "cuda": 32768}
JOINT_CHUNK = 64
CACHED_TEXTS = 50_000

Say = Callable[..., None]
Systems = dict[str, list[tuple[str, str, str]]]
"""Rows of source, hypothesis and reference, by the system's name."""
Scored = tuple[dict[str, list[float]], int, dict[str, int]]
"""Each system's scores, how many inputs were computed, and how many of each system were cut."""


class Failure(Exception):
    """What the parent is told: why, and what would help."""

    def __init__(self, why: str, fix: str) -> None:
        super().__init__(why)
        self.why, self.fix = why, fix


class Worker:
    """One loaded model and the embeddings of the texts it has seen."""

    def __init__(self, say: Say) -> None:
        self.say = say
        self.model: Any = None
        self.device = "cpu"
        self.embeddings: dict[str, Any] = {}
        self.store: EmbeddingStore | None = None

    def load(self, model: str, offline: bool, store: str) -> None:
        """Load a checkpoint from a path, or from the hub by its name."""
        checkpoint, revision = _checkpoint(model, offline)
        import torch
        from comet import load_from_checkpoint

        try:
            loaded = load_from_checkpoint(str(checkpoint), local_files_only=offline)
        except Exception as error:
            raise _explain(error, f"the checkpoint of '{model}' cannot be loaded") from error
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.model = loaded.float().eval().to(self.device)
        self.embeddings = {}
        comet = importlib.metadata.version("unbabel-comet")
        # A device and a torch of its own may give other last bits than were kept from another.
        kept_by = f"{revision} fp32 {self.device} {torch.__version__} {comet}"
        self.store = EmbeddingStore(Path(store), kept_by)
        self.say(
            kind="loaded",
            model=checkpoint.parents[1].name if Path(model).exists() else model,
            revision=revision,
            comet=comet,
            precision="fp32",
            device=self.device,
            references=_reads_references(loaded),
        )

    def score(
        self, sources: list[str], references: list[str], systems: dict[str, list[str]]
    ) -> None:
        """Score every system's segments, in their order."""
        from comet.models import RegressionMetric

        if self.model is None:
            raise Failure("no model is loaded", "load one first")
        separate = type(self.model) is RegressionMetric
        score = self._score_separately if separate else self._score_jointly
        rows = {
            name: list(zip(sources, lines, references, strict=True))
            for name, lines in systems.items()
        }
        limit = self.model.encoder.max_positions - 2
        distinct = {row for system in rows.values() for row in system}
        lengths = self._token_counts({text for row in distinct for text in row})
        segments, encoded, cut = score(rows, lengths, limit)
        if not all(math.isfinite(value) for values in segments.values() for value in values):
            raise Failure("the model gave a score that is not a number", "try another checkpoint")
        self.say(kind="scores", segments=segments, encoded=encoded, cut=cut, limit=limit)

    def _score_separately(self, systems: Systems, lengths: dict[str, int], limit: int) -> Scored:
        """Embed each distinct text once, then run the regression on the embeddings."""
        import torch

        if len(self.embeddings) + len(lengths) > CACHED_TEXTS:
            self.embeddings = {}
        self._recall(lengths.keys() - self.embeddings.keys())
        new = sorted(lengths.keys() - self.embeddings.keys(), key=lambda t: (-lengths[t], t))
        done = 0
        for batch in _batches(new, lengths, limit, TOKENS_PER_BATCH[self.device]):
            self._embed(batch)
            self._keep(batch)
            done += len(batch)
            self.say(kind="progress", share=done / len(new))
        segments: dict[str, list[float]] = {}
        # System by system: the company that a segment is in may change the last bits of its score.
        for name, system in systems.items():
            rows = list(dict.fromkeys(system))
            scores: dict[Any, float] = {}
            for start in range(0, len(rows), 1024):
                part = rows[start : start + 1024]
                sources, hypotheses, references = (
                    torch.stack([self.embeddings[row[column]] for row in part])
                    for column in range(3)
                )
                with torch.inference_mode():
                    values = self.model.estimate(sources, hypotheses, references).score
                scores.update(zip(part, values.float().tolist(), strict=True))
            segments[name] = [scores[row] for row in system]
        cut = {
            name: sum(lengths[text] > limit for text in {text for row in system for text in row})
            for name, system in systems.items()
        }
        return segments, len(new), cut

    def _recall(self, texts: Iterable[str]) -> None:
        """Take over what was encoded before, by whichever run."""
        import torch

        assert self.store is not None
        for text, vector in self.store.get(texts).items():
            values = torch.frombuffer(bytearray(vector), dtype=torch.float32)
            self.embeddings[text] = values.to(self.device)

    def _keep(self, texts: Iterable[str]) -> None:
        assert self.store is not None
        vectors = {text: self.embeddings[text].float().cpu().numpy() for text in texts}
        self.store.put({text: vector.tobytes() for text, vector in vectors.items()})

    def _embed(self, texts: list[str]) -> None:
        """Embed a batch; one that does not fit into memory is halved."""
        import torch

        try:
            inputs = self.model.encoder.prepare_sample(texts).to(self.device)
            with torch.inference_mode():
                vectors = self.model.compute_sentence_embedding(
                    inputs["input_ids"], inputs["attention_mask"]
                )
            self.embeddings.update(zip(texts, vectors, strict=True))
        except torch.OutOfMemoryError:
            if len(texts) == 1:
                raise
            torch.cuda.empty_cache()
            self._embed(texts[: len(texts) // 2])
            self._embed(texts[len(texts) // 2 :])

    def _score_jointly(self, systems: Systems, lengths: dict[str, int], limit: int) -> Scored:
        """Leave the scoring to the model's own `predict`, in chunks of similar length."""
        assert self.store is not None
        names = {row: json.dumps(row) for system in systems.values() for row in system}
        rows = {name: row for row, name in names.items()}
        kept = self.store.get(rows)
        scores = {rows[name]: struct.unpack("<d", value)[0] for name, value in kept.items()}
        length = {row: sum(lengths[text] for text in row) for row in names}
        ordered = sorted(names.keys() - scores.keys(), key=lambda row: (length[row], row))
        for start in range(0, len(ordered), JOINT_CHUNK):
            part = ordered[start : start + JOINT_CHUNK]
            output = self.model.predict(
                [dict(zip(("src", "mt", "ref"), row, strict=True)) for row in part],
                batch_size=8,
                gpus=int(self.device == "cuda"),
                num_workers=0,
                progress_bar=False,
            )
            found = dict(zip(part, map(float, output.scores), strict=True))
            self.store.put({names[row]: struct.pack("<d", value) for row, value in found.items()})
            scores.update(found)
            self.say(kind="progress", share=min(1.0, (start + len(part)) / len(ordered)))
        segments = {name: [scores[row] for row in system] for name, system in systems.items()}
        cut = {
            name: sum(length[row] > limit for row in set(system))
            for name, system in systems.items()
        }
        return segments, len(ordered), cut

    def _token_counts(self, texts: set[str]) -> dict[str, int]:
        ordered = sorted(texts)
        tokens = self.model.encoder.tokenizer(ordered)["input_ids"]
        return dict(zip(ordered, map(len, tokens), strict=True))


def _reads_references(model: Any) -> bool:
    from comet.models import ReferencelessRegression

    segments = model.hparams.get("input_segments", ["src", "mt", "ref"])
    return "ref" in segments and not isinstance(model, ReferencelessRegression)


def _batches(
    texts: list[str], lengths: dict[str, int], limit: int, budget: int
) -> Iterator[list[str]]:
    """Cut texts, longest first, into batches of at most `budget` padded tokens."""
    start = 0
    while start < len(texts):
        count = max(1, budget // min(lengths[texts[start]], limit))
        yield texts[start : start + count]
        start += count


def _checkpoint(model: str, offline: bool) -> tuple[Path, str]:
    """The checkpoint's file and its revision: the hub's commit, or the start of its digest."""
    path = Path(model)
    if path.exists():
        file = path / "checkpoints" / "model.ckpt" if path.is_dir() else path
        if not file.is_file() or not (file.parents[1] / "hparams.yaml").is_file():
            raise Failure(
                f"'{model}' is no COMET checkpoint",
                "give a folder with hparams.yaml and checkpoints/model.ckpt",
            )
        with file.open("rb") as stream:
            return file, "sha256-" + hashlib.file_digest(stream, "sha256").hexdigest()[:12]
    from comet import download_model

    try:
        file = Path(download_model(model, local_files_only=offline))
    except Exception as error:
        raise _explain(error, f"the checkpoint of '{model}' cannot be had") from error
    return file, file.parents[1].name[:12]


def _explain(error: BaseException, what: str) -> Failure:
    """Find the cause beneath comet's own error, which names none, and say what would help."""
    chain = list(_chain(error))
    names = {kind.__name__ for cause in chain for kind in type(cause).__mro__}
    if "GatedRepoError" in names:
        return Failure(f"{what}: its licence must be accepted", "accept it there, set HF_TOKEN")
    if names & {"RepositoryNotFoundError", "HFValidationError"}:
        return Failure(f"{what}: the hub has no such model", "check the name")
    if names & {"OutOfMemoryError", "MemoryError"}:
        return Failure(f"{what}: it does not fit into memory", "free memory, use a smaller model")
    offline = {"LocalEntryNotFoundError", "OfflineModeIsEnabled", "ConnectionError", "Timeout"}
    if names & offline or any("connect to" in str(cause) for cause in chain):
        return Failure(
            f"{what}: the model hub cannot be reached",
            "connect to the network once, or name a folder that holds a checkpoint",
        )
    last = f"{type(chain[-1]).__name__}: {chain[-1]}".strip().splitlines()[0][:300]
    return Failure(f"{what}: {last}", "try another checkpoint")


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _commands(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Commands as they come; the end of the input ends the process, whatever it is doing."""
    waiting: queue.Queue[dict[str, Any]] = queue.Queue()

    def listen() -> None:
        for line in lines:
            waiting.put(json.loads(line))
        os._exit(0)

    threading.Thread(target=listen, daemon=True).start()
    while True:
        yield waiting.get()


def main() -> None:
    """Listen until the parent closes the input."""
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def say(**message: Any) -> None:
        print(json.dumps(message), file=channel, flush=True)

    worker = Worker(say)
    commands: dict[str, Callable[..., None]] = {"load": worker.load, "score": worker.score}
    for message in _commands(open(0, encoding="utf-8", closefd=False)):
        command = message.pop("command")
        try:
            commands[command](**message)
        except Exception as error:
            failed = error if isinstance(error, Failure) else _explain(error, command)
            say(kind="error", why=failed.why, fix=failed.fix)


if __name__ == "__main__":
    main()

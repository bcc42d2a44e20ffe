"""COMET against `comet-score`: four systems on one test set, and one more of them later.

Both score with one checkpoint of unbabel-comet's own class. Without one named, it is of random
weights: what a score costs does not depend on what the weights have learnt.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib import metadata
from pathlib import Path
from typing import Any

from mtlab.bench.contest import Lap, Standing, hold
from mtlab.bench.peer import PROGRAMS, Peer
from mtlab.errors import NotAvailable
from mtlab.scoring.comet import CometScorer
from mtlab.scoring.comet_env import ensure_env
from mtlab.scoring.values import Score
from mtlab.settings import Settings

Tell = Callable[[str], None]

PEERS = ("comet-score", "comet-predict")
"""Whom COMET can be measured against; the first is the reference."""

PARTS = {"four systems": (4, 0), "one more system": (1, 4)}
"""How many systems are scored, and how many had been on the same segments before."""

_HIDDEN, _LAYERS = 512, 6


@dataclass(frozen=True)
class Segments:
    """Segments to be scored.

    Attributes:
        sources: a text each.
        references: a text each.
    """

    sources: tuple[str, ...]
    references: tuple[str, ...]

    def system(self, seed: int) -> list[str]:
        """Hypotheses of no system: references that lack some words and have two exchanged."""
        draw = random.Random(seed)
        return [_damaged(text, draw) for text in self.references]


@dataclass
class _Work:
    """What every contestant is given in a round: a test set and new systems each time."""

    test: Segments
    checkpoint: Path
    systems: int
    known: int
    """Systems that were scored on the test set before the clock starts."""

    def of_round(self, number: int) -> dict[str, list[str]]:
        first = 1000 * (number + 1)
        return {f"system-{i}": self.test.system(first + i) for i in range(self.systems)}

    def before(self) -> dict[str, list[str]]:
        return {f"known-{i}": self.test.system(i) for i in range(self.known)}

    @property
    def size(self) -> int:
        return self.systems * len(self.test.sources)


@dataclass
class _Theirs:
    """unbabel-comet itself, in its environment."""

    name: str
    how: str
    python: Path
    work: _Work
    _peer: Peer | None = None
    _round: int = 0

    def prepare(self) -> dict[str, str]:
        self._peer = Peer(self.name, [str(self.python), "-I", str(PROGRAMS / "comet_peer.py")])
        versions = self._peer.ask("prepare", checkpoint=str(self.work.checkpoint), how=self.name)
        self._score({"warming up": self.work.test.system(-1)})
        return versions

    def lap(self) -> Lap:
        answer = self._score(self.work.of_round(self._round))
        self._round += 1
        made = tuple(map(float, answer["scores"]))
        return Lap(float(answer["seconds"]), self.work.size, made, float(answer["cpu"]))

    def close(self) -> None:
        if self._peer is not None:
            self._peer.close()

    def _score(self, systems: Mapping[str, Sequence[str]]) -> dict[str, Any]:
        assert self._peer is not None
        test = self.work.test
        return self._peer.ask(
            "lap", sources=test.sources, references=test.references, systems=systems
        )


@dataclass
class _Ours:
    """`CometScorer`, with a store of its own each round, in which nothing is at first."""

    settings: Settings
    work: _Work
    name: str = "mtlab"
    how: str = "fp32, each distinct text encoded once, kept between runs"
    _round: int = 0
    _stores: list[tempfile.TemporaryDirectory[str]] = field(default_factory=list)

    def prepare(self) -> dict[str, str]:
        return {"mtlab": metadata.version("mtlab")}

    def lap(self) -> Lap:
        self._stores.append(tempfile.TemporaryDirectory())
        settings = replace(self.settings, home=Path(self._stores[-1].name))
        test, systems = self.work.test, self.work.of_round(self._round)
        self._round += 1
        with CometScorer(settings, str(self.work.checkpoint.parents[1])) as scorer:
            warm = ["This loads the model, and is in no test set."]
            _checked(scorer.score(warm, warm, {"warming up": warm}))
            before = self.work.before()
            if before:
                _checked(scorer.score(test.sources, test.references, before))
            began, cpu = time.perf_counter(), scorer.cpu_seconds()
            scores = _checked(scorer.score(test.sources, test.references, systems))
            seconds, used = time.perf_counter() - began, scorer.cpu_seconds() - cpu
        made = tuple(value for name in systems for value in scores[name].segments or ())
        return Lap(seconds, self.work.size, made, used)

    def close(self) -> None:
        for store in self._stores:
            store.cleanup()


def contest(
    against: Sequence[str],
    settings: Settings,
    test: Segments,
    *,
    rounds: int,
    checkpoint: Path | None = None,
    parts: Mapping[str, tuple[int, int]] = PARTS,
    tell: Tell = lambda text: None,
) -> dict[str, list[Standing]]:
    """Measure COMET: four systems, and one more on the same segments later.

    Args:
        against: of `PEERS`.
        settings: where COMET's environment is.
        test: what is scored.
        rounds: laps of each.
        checkpoint: a folder with `hparams.yaml` and `checkpoints/model.ckpt`; random without one.
        parts: what is measured, as `PARTS`.
        tell: is told what happens.

    Returns:
        The standings by part, `comet-score` first as the reference for speed. Their agreement
        is the largest difference of a score from `comet-predict`, which is fp32.

    Raises:
        NotAvailable: COMET cannot run here.
    """
    python = ensure_env(settings, lambda share, text: tell(text))
    with _checkpoint(checkpoint, python, test, tell) as file:
        return {
            name: hold(
                _contestants(against, settings, python, _Work(test, file, systems, known)),
                rounds,
                _largest_difference,
                judge="comet-predict",
                tell=lambda text, name=name: tell(f"{name}: {text}"),  # type: ignore[misc]
            )
            for name, (systems, known) in parts.items()
        }


def _contestants(
    against: Sequence[str], settings: Settings, python: Path, work: _Work
) -> list[_Theirs | _Ours]:
    how = {
        "comet-score": "its defaults: batches of 16, a half-precision model",
        "comet-predict": "model.predict in fp32, batches of 16",
    }
    wanted = [name for name in PEERS if name in against or name == PEERS[0]]
    if PEERS[1] not in wanted:
        wanted.append(PEERS[1])  # whom the scores are compared with
    theirs = [_Theirs(name, how[name], python, work) for name in wanted]
    return [*theirs, _Ours(settings, work)]


@contextmanager
def _checkpoint(named: Path | None, python: Path, test: Segments, tell: Tell) -> Iterator[Path]:
    if named is not None:
        yield named / "checkpoints" / "model.ckpt"
        return
    with tempfile.TemporaryDirectory() as folder:
        tell(f"making a COMET model of random weights: {_LAYERS} layers, {_HIDDEN} wide")
        peer = Peer("unbabel-comet", [str(python), "-I", str(PROGRAMS / "comet_peer.py")])
        try:
            texts = [*test.sources, *test.references]
            peer.ask("build", folder=folder, texts=texts, hidden=_HIDDEN, layers=_LAYERS)
        finally:
            peer.close()
        yield Path(folder) / "checkpoints" / "model.ckpt"


def _checked(answers: Mapping[str, object]) -> dict[str, Score]:
    scores = {}
    for name, answer in answers.items():
        if not isinstance(answer, Score):
            raise NotAvailable("COMET", why=getattr(answer, "why", str(answer)))
        scores[name] = answer
    return scores


def _largest_difference(one: Lap, other: Lap) -> float:
    return max(abs(float(a) - float(b)) for a, b in zip(one.made, other.made, strict=True))


def _damaged(text: str, draw: random.Random) -> str:
    words = [word for word in text.split() if draw.random() < 0.85] or text.split()[:1]
    if len(words) > 1:
        a, b = draw.sample(range(len(words)), 2)
        words[a], words[b] = words[b], words[a]
    return " ".join(words)

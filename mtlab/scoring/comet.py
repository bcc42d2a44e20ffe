"""COMET, spoken to through a worker process in its own environment.

A worker that cannot be started, cannot load its model, dies or falls silent makes COMET
`Unavailable`, with the reason: no other number is ever put in its place. Copying the source scores
about 0.66 with wmt22-comet-da, so read a COMET score beside `mtlab.scoring.failures`.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import tempfile
import threading
import time
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Self

import numpy as np

from mtlab.errors import NotAvailable
from mtlab.scoring.bootstrap import SAMPLES, SEED, mean_interval
from mtlab.scoring.comet_env import ensure_env
from mtlab.scoring.comet_status import DEFAULT_MODEL, comet_status
from mtlab.scoring.lexical import ONE_SEGMENT
from mtlab.scoring.values import Progress, Score, Unavailable, check_segments
from mtlab.settings import Settings

WORKER = Path(__file__).with_name("comet_worker.py")


class CometScorer:
    """Scores with one COMET model; use it as a context manager, which ends its process.

    Nothing is started before the first `score`. One scorer may be used from several threads; they
    take turns.

    Args:
        settings: where COMET's environment is.
        model: a model of the hub, or a folder with `hparams.yaml` and `checkpoints/model.ckpt`.
        on_progress: told the share done, 0 to 1, of the step at hand, and what the step is.
        load_timeout: seconds that loading may take, a download included.
        silence_timeout: seconds without a sign of life after which a scoring worker is given up.
    """

    def __init__(
        self,
        settings: Settings,
        model: str = DEFAULT_MODEL,
        *,
        on_progress: Progress | None = None,
        load_timeout: float = 3600.0,
        silence_timeout: float = 900.0,
    ) -> None:
        self.settings = settings
        self.model = model
        self.load_timeout = load_timeout
        self.silence_timeout = silence_timeout
        self._tell: Progress = on_progress or (lambda share, text: None)
        self._turn = threading.Lock()
        self._worker: _Worker | None = None
        self._loaded: dict[str, Any] = {}
        self._refused: NotAvailable | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """End the worker and free its memory; the next `score` starts another."""
        with self._turn:
            self._end()

    def score(
        self,
        sources: Sequence[str],
        references: Sequence[str],
        systems: Mapping[str, Sequence[str]],
    ) -> dict[str, Score | Unavailable]:
        """Score systems that translated the same segments.

        Sources and references are encoded once for all of them, and once for all calls.

        Args:
            sources: one per segment.
            references: one per segment.
            systems: hypotheses per system, by its name; an empty one is scored as it is.

        Returns:
            Per system the mean of its segment scores, the segment scores, and the 95% bootstrap
            interval over segments; or why there is none.

        Raises:
            InputError: lists that are empty or of unequal length, or an empty source or reference.
        """
        check_segments(references, systems, sources)
        with self._turn:
            try:
                answer = self._answer(sources, references, systems)
            except NotAvailable as error:
                self._end()
                missing = Unavailable("comet", error.why or error.what, error.fix or "try again")
                return dict.fromkeys(systems, missing)
        return {name: self._to_score(answer, answer["segments"][name]) for name in systems}

    def _answer(
        self,
        sources: Sequence[str],
        references: Sequence[str],
        systems: Mapping[str, Sequence[str]],
    ) -> dict[str, Any]:
        worker = self._ready()
        texts = {name: list(lines) for name, lines in systems.items()}
        worker.send(
            command="score", sources=list(sources), references=list(references), systems=texts
        )
        return worker.receive("scores", self.silence_timeout, self._tell)

    def _ready(self) -> _Worker:
        """The worker with the model loaded. What could not be loaded once is not tried again."""
        if self._refused is not None:
            raise self._refused
        if self._worker is not None:
            return self._worker
        try:
            problem = comet_status(self.settings, self.model)
            if problem is not None:
                raise NotAvailable("COMET", why=problem.why, fix=problem.fix)
            python = ensure_env(self.settings, self._tell)
            self._tell(0.0, f"loading {self.model}")
            self._worker = _Worker(python, self.settings)
            self._worker.send(command="load", model=self.model, offline=self.settings.offline)
            self._loaded = self._worker.receive("loaded", self.load_timeout, self._tell)
        except NotAvailable as error:
            self._refused = error
            raise
        return self._worker

    def _end(self) -> None:
        if self._worker is not None:
            self._worker.end()
            self._worker = None

    def _to_score(self, answer: dict[str, Any], segments: list[float]) -> Score:
        values = np.asarray(segments, dtype=np.float64)
        n = len(values)
        low, high = mean_interval(values, SEED) if n > 1 else (None, None)
        about = self._loaded
        signature = [f"model:{about['model']}", f"revision:{about['revision']}"]
        signature += [f"comet:{about['comet']}", f"precision:{about['precision']}", f"n:{n}"]
        signature += [f"bs:{SAMPLES}", f"seed:{SEED}"] if n > 1 else []
        notes: tuple[str, ...] = () if n > 1 else (ONE_SEGMENT,)
        if answer["cut"]:
            notes += (f"inputs over {answer['limit']} tokens, cut by COMET: {answer['cut']}",)
        if not about["references"]:
            notes += ("this model does not read the reference",)
        return Score(
            metric="comet",
            value=float(values.mean()),
            low=low,
            high=high,
            n=n,
            signature="|".join(signature),
            seed=SEED if n > 1 else None,
            segments=tuple(segments),
            notes=notes,
        )


class _Worker:
    """The process, a thread that reads its answers, and the file that takes what it prints."""

    def __init__(self, python: Path, settings: Settings) -> None:
        self._errors: IO[bytes] = tempfile.TemporaryFile()
        environment = os.environ | {"OMP_WAIT_POLICY": "PASSIVE", "TOKENIZERS_PARALLELISM": "false"}
        if settings.threads:
            environment["OMP_NUM_THREADS"] = str(settings.threads)
        try:
            self._process = subprocess.Popen(
                [str(python), "-I", str(WORKER)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                encoding="utf-8",
                env=environment,
            )
        except OSError as error:
            raise NotAvailable(
                "COMET",
                why=f"its interpreter cannot be started: {error.strerror or error}",
                fix="python -m mtlab.scoring.comet_env builds it; see MTLAB_COMET_PYTHON",
            ) from None
        self._messages: queue.Queue[dict[str, Any] | None] = queue.Queue()
        threading.Thread(
            target=_read_messages, args=(self._process.stdout, self._messages), daemon=True
        ).start()
        self.end = weakref.finalize(self, _end_process, self._process, self._errors)

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, **message: Any) -> None:
        assert self._process.stdin is not None
        try:
            print(json.dumps(message), file=self._process.stdin, flush=True)
        except OSError:
            raise self._gone() from None

    def receive(self, kind: str, timeout: float, tell: Progress) -> dict[str, Any]:
        """The next answer of a kind; any message before it renews the time allowed."""
        while True:
            try:
                message = self._messages.get(timeout=timeout)
            except queue.Empty:
                raise NotAvailable(
                    "COMET",
                    why=f"its worker gave no sign of life for {timeout:.0f} seconds",
                    fix="try again with fewer segments or a smaller model",
                ) from None
            if message is None:
                raise self._gone()
            if message["kind"] == kind:
                return message
            if message["kind"] == "error":
                raise NotAvailable("COMET", why=message["why"], fix=message["fix"])
            tell(message["share"], "scoring with COMET")

    def _gone(self) -> NotAvailable:
        status = self._wait()
        how = f"signal {-status}" if status < 0 else f"exit status {status}"
        self._errors.seek(0)
        lines = self._errors.read().decode("utf-8", "replace").strip().splitlines()
        last = f": {lines[-1].strip()[:300]}" if lines else ""
        fix = "free memory and try again" if status == -9 else "try again"
        return NotAvailable("COMET", why=f"its worker ended with {how}{last}", fix=fix)

    def _wait(self) -> int:
        try:
            return self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()


def _read_messages(lines: IO[str], messages: queue.Queue[dict[str, Any] | None]) -> None:
    for line in lines:
        messages.put(json.loads(line))
    messages.put(None)


def _end_process(process: subprocess.Popen[str], errors: IO[bytes]) -> None:
    """Close the worker's input, at which it ends; kill it if it has not in two seconds."""
    assert process.stdin is not None
    try:
        process.stdin.close()
    except OSError:
        pass
    deadline = time.monotonic() + 2
    while process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    if process.poll() is None:
        process.kill()
        process.wait()
    errors.close()


__all__ = ["DEFAULT_MODEL", "CometScorer", "comet_status"]

"""COMET, spoken to through a worker process in its own environment.

A worker that cannot be started, cannot load its model, dies twice or falls silent makes COMET
`Unavailable`, with the reason: no other number is ever put in its place. Copying the source scores
about 0.66 with wmt22-comet-da, so read a COMET score beside `mtlab.scoring.failures`.
"""

from __future__ import annotations

import contextlib
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
import psutil

from mtlab.errors import NotAvailable
from mtlab.scoring.bootstrap import SAMPLES, SEED, mean_interval
from mtlab.scoring.comet_env import ensure_env
from mtlab.scoring.comet_status import DEFAULT_MODEL, comet_status
from mtlab.scoring.lexical import ONE_SEGMENT
from mtlab.scoring.values import Progress, Score, Unavailable, check_segments
from mtlab.secrecy import without_secrets
from mtlab.settings import Settings

_SHARED = 64
"""Segments below which one worker is as fast as several."""

PROGRAM = Path(__file__).with_name("comet_program")


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
        devices: environment variables, one mapping for each worker: with several, such as a GPU
            each, they share what there is to encode, and the first makes the scores from that.
    """

    def __init__(
        self,
        settings: Settings,
        model: str = DEFAULT_MODEL,
        *,
        on_progress: Progress | None = None,
        load_timeout: float = 3600.0,
        silence_timeout: float = 900.0,
        devices: Sequence[Mapping[str, str]] = ({},),
    ) -> None:
        self.settings = settings
        self.model = model
        self.load_timeout = load_timeout
        self.silence_timeout = silence_timeout
        self._tell: Progress = on_progress or (lambda share, text: None)
        self._turn = threading.Lock()
        self._devices = tuple(devices)
        self._workers: list[_Worker] = []
        self._loaded: dict[str, Any] = {}
        self._refused: NotAvailable | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def cpu_seconds(self) -> float:
        """Processor time that the workers have used so far; 0 without one."""
        return sum(worker.cpu_seconds() for worker in self._workers)

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

        Sources and references are encoded once for all of them, and once for all calls. Where the
        worker dies, another one tries once more.

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
                answer = self._answer_of_one_in_two(sources, references, systems)
            except NotAvailable as error:
                self._end()
                missing = Unavailable("comet", error.why or error.what, error.fix or "try again")
                return dict.fromkeys(systems, missing)
        return {name: self._to_score(answer, name) for name in systems}

    def _answer_of_one_in_two(
        self,
        sources: Sequence[str],
        references: Sequence[str],
        systems: Mapping[str, Sequence[str]],
    ) -> dict[str, Any]:
        """The worker's answer; another worker's where it died, whatever killed it."""
        try:
            return self._answer(sources, references, systems)
        except _Died:
            self._end()
            self._refused = None
            self._tell(0.0, "COMET's worker died; once more with another")
            return self._answer(sources, references, systems)

    def _answer(
        self,
        sources: Sequence[str],
        references: Sequence[str],
        systems: Mapping[str, Sequence[str]],
    ) -> dict[str, Any]:
        first, *others = self._ready()
        if others and len(sources) >= _SHARED:
            # Each encodes its part, and the store in the home hands it on to the first.
            asked = [first, *others]
            for place, worker in enumerate(asked):
                part = slice(place, None, len(asked))
                lines = {name: texts[part] for name, texts in systems.items()}
                self._ask(worker, sources[part], references[part], lines)
            for worker in asked:
                self._hear(worker)
        self._ask(first, sources, references, systems)
        return self._hear(first)

    def _ask(
        self,
        worker: _Worker,
        sources: Sequence[str],
        references: Sequence[str],
        systems: Mapping[str, Sequence[str]],
    ) -> None:
        texts = {name: list(lines) for name, lines in systems.items()}
        worker.send(
            command="score", sources=list(sources), references=list(references), systems=texts
        )

    def _hear(self, worker: _Worker) -> dict[str, Any]:
        return worker.receive("scores", self.silence_timeout, self._tell, "scoring with COMET")

    def _ready(self) -> list[_Worker]:
        """The workers with the model loaded. What could not be loaded once is not tried again."""
        if self._refused is not None:
            raise self._refused
        if self._workers:
            return self._workers
        try:
            problem = comet_status(self.settings, self.model)
            if problem is not None:
                raise NotAvailable("COMET", why=problem.why, fix=problem.fix)
            python = ensure_env(self.settings, self._tell)
            loading = f"loading {self.model}"
            self._tell(0.0, loading)
            self._workers = [_Worker(python, self.settings, more) for more in self._devices]
            for worker in self._workers:
                worker.send(
                    command="load",
                    model=self.model,
                    offline=self.settings.offline,
                    store=str(self.settings.home / "cache" / "comet.db"),
                )
            for worker in reversed(self._workers):
                self._loaded = worker.receive("loaded", self.load_timeout, self._tell, loading)
        except NotAvailable as error:
            self._refused = error
            raise
        return self._workers

    def _end(self) -> None:
        for worker in self._workers:
            worker.end()
        self._workers = []

    def _to_score(self, answer: dict[str, Any], name: str) -> Score:
        segments: list[float] = answer["segments"][name]
        cut: int = answer["cut"][name]
        values = np.asarray(segments, dtype=np.float64)
        n = len(values)
        low, high = mean_interval(values, SEED) if n > 1 else (None, None)
        about = self._loaded
        signature = [f"model:{about['model']}", f"revision:{about['revision']}"]
        signature += [f"comet:{about['comet']}", f"precision:{about['precision']}", f"n:{n}"]
        signature += [f"bs:{SAMPLES}", f"seed:{SEED}"] if n > 1 else []
        notes: tuple[str, ...] = () if n > 1 else (ONE_SEGMENT,)
        if cut:
            notes += (f"inputs over {answer['limit']} tokens, cut by COMET: {cut}",)
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


class _Died(NotAvailable):
    """The worker is gone."""


class _Worker:
    """The process, a thread for each way of its pipe, and the file that takes what it prints.

    No call waits for a worker that does not read: what it is told is written by a thread.
    """

    def __init__(self, python: Path, settings: Settings, more: Mapping[str, str]) -> None:
        self._errors: IO[bytes] = tempfile.TemporaryFile()
        environment = without_secrets(os.environ, hub=True) | {
            "OMP_WAIT_POLICY": "PASSIVE",
            "TOKENIZERS_PARALLELISM": "false",
            **more,
        }
        if settings.threads:
            environment["OMP_NUM_THREADS"] = str(settings.threads)
        try:
            self._process = subprocess.Popen(
                [str(python), "-I", str(PROGRAM)],
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
        self._commands: queue.Queue[dict[str, Any] | None] = queue.Queue()
        reads = (_read_messages, self._process.stdout, self._messages)
        writes = (_write_commands, self._process.stdin, self._commands)
        for act, pipe, messages in (reads, writes):
            threading.Thread(target=act, args=(pipe, messages), daemon=True).start()
        self.end = weakref.finalize(self, _end_process, self._process, self._commands, self._errors)

    @property
    def pid(self) -> int:
        return self._process.pid

    def cpu_seconds(self) -> float:
        times = psutil.Process(self.pid).cpu_times()
        return float(times.user + times.system)

    def send(self, **message: Any) -> None:
        """Tell it something, soon; whether it is there to hear is seen at its answer."""
        self._commands.put(message)

    def receive(self, kind: str, timeout: float, tell: Progress, doing: str) -> dict[str, Any]:
        """The next answer of a kind; any message before it renews the time allowed.

        Args:
            kind: of the answer.
            timeout: seconds without a sign of life after which it is given up.
            tell: told how far it is, every second; what it raises ends the waiting.
            doing: what it is told.
        """
        share, heard = 0.0, time.monotonic()
        while True:
            left = heard + timeout - time.monotonic()
            try:
                message = self._messages.get(timeout=max(0.0, min(left, 1.0)))
            except queue.Empty:
                if left > 0:
                    tell(share, doing)
                    continue
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
            share, heard = message["share"], time.monotonic()
            tell(share, doing)

    def _gone(self) -> _Died:
        status = self._wait()
        how = f"signal {-status}" if status < 0 else f"exit status {status}"
        self._errors.seek(0)
        lines = self._errors.read().decode("utf-8", "replace").strip().splitlines()
        last = f": {lines[-1].strip()[:300]}" if lines else ""
        fix = "free memory and try again" if status == -9 else "try again"
        return _Died("COMET", why=f"its worker ended with {how}{last}", fix=fix)

    def _wait(self) -> int:
        try:
            return self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()


def _read_messages(lines: IO[str], messages: queue.Queue[dict[str, Any] | None]) -> None:
    try:
        for line in lines:
            messages.put(json.loads(line))
    except ValueError:
        pass  # a line that was torn as it died, or one that is no answer: of no use any more
    finally:
        messages.put(None)


def _write_commands(pipe: IO[str], commands: queue.Queue[dict[str, Any] | None]) -> None:
    """Pass commands on until there are no more, then close the worker's input."""
    with contextlib.suppress(OSError), pipe:
        while (message := commands.get()) is not None:
            print(json.dumps(message), file=pipe, flush=True)


def _end_process(
    process: subprocess.Popen[str],
    commands: queue.Queue[dict[str, Any] | None],
    errors: IO[bytes],
) -> None:
    """Close the worker's input, at which it ends; kill it if it has not in two seconds."""
    commands.put(None)
    deadline = time.monotonic() + 2
    while process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    if process.poll() is None:
        process.kill()
        process.wait()
    errors.close()


__all__ = ["DEFAULT_MODEL", "CometScorer", "comet_status"]

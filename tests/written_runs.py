"""Runs written into a home by hand, in any state, for tests of what shows them: nothing is trained.

with written_home(folder) as home:
    run = home.run(size=32, train=["de-en"], bleu={"de-en": 12.7})
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mtlab.defaults import complete
from mtlab.presets import resolve_base
from mtlab.runs.events import EventLog
from mtlab.runs.files import write_json, write_lines
from mtlab.runs.identity import TOKEN_VARIABLE, start_mark
from mtlab.runs.status import Status
from mtlab.settings import Settings
from mtlab.spec import RunSpec

SIGNATURE = "nrefs:1|bs:1000|seed:12345|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0"
MEMORY_RAN_OUT = {
    "what": "memory ran out in the phase 'train'",
    "why": "CUDA out of memory. Tried to allocate 2.00 GiB",
    "fix": "use a smaller batch, token budget or base model",
}
_SEGMENTS = (
    ("Wo ist der Bahnhof?", "Where is the station?"),
    ("Das Haus ist rot.", "The house is red."),
    ("Ich lese ein Buch.", "I am reading a book."),
)


@contextmanager
def written_home(home: Path) -> Iterator[WrittenHome]:
    """A home to write runs into; ends the processes that stand for running ones."""
    written = WrittenHome(home)
    try:
        yield written
    finally:
        written.close()


class WrittenHome:
    """Writes run folders; ids rise in the order in which they are written."""

    def __init__(self, home: Path) -> None:
        self.settings = Settings.from_environment({"MTLAB_HOME": str(home)})
        self.settings.runs.mkdir(parents=True, exist_ok=True)
        self._count = 0
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def folder(self, run: str) -> Path:
        """Where a run lies."""
        return self.settings.runs / run

    def run(
        self,
        *,
        state: str = "finished",
        bleu: Mapping[str, float] | None = None,
        progress: float | None = None,
        phase: str | None = None,
        error: Mapping[str, str] | None = None,
        steps: int = 0,
        probes: Sequence[int] = (),
        hypothesis: str = "At step {step}, said of {source}",
        **fields: Any,
    ) -> str:
        """Write one run and return its id.

        Args:
            state: how it stands. A running one is given a process that sleeps.
            bleu: scores by tested direction, also of segments, for a finished run.
            progress: 0 to 1; by the state if not given.
            phase: what it does now, or did last.
            error: of a failed one.
            steps: optimizer steps in its events.
            probes: steps after which the probe set was translated.
            hypothesis: what the samples say; may hold {step} and {source}.
            fields: of the spec; a trained run on de-en if nothing else is said.
        """
        self._count += 1
        run = f"20260101-{self._count:06d}-{self._count:04x}"
        given = {"train": ["de-en"], "metrics": ["bleu"], "seed": 0, **fields}
        spec = RunSpec.from_json(given)
        spec = complete(spec, resolve_base(spec.base, self.settings))
        folder = self.folder(run)
        folder.mkdir()
        now = time.time() - 10_000 + self._count
        over = state not in ("queued", "running")
        status = Status(
            run,
            state=state,  # type: ignore[arg-type]
            phase=phase or ("score" if over else None),  # type: ignore[arg-type]
            progress=(1.0 if state == "finished" else 0.0) if progress is None else progress,
            error=dict(error) if error else None,
            seconds={"train": 10.0, "decode": 5.0} if over else {},
            attempts=0 if state == "queued" else 1,
            created=now,
            began=None if state == "queued" else (now if over else time.time() - 30),
            ended=now + 15 if over else None,
        )
        if state == "running":
            status = self._alive(status)
        write_json(folder / "spec.json", spec.to_json())
        write_json(
            folder / "provenance.json",
            {"mtlab": "0.1.0", "seed": spec.seed, "versions": {"torch": "2.13.0"}},
        )
        self._write_events(folder, spec, steps, probes, hypothesis)
        if bleu:
            self._write_scores(folder, bleu)
        write_json(folder / "status.json", status.to_json())
        return run

    def change(self, run: str, **changes: Any) -> None:
        """Change a run's status, as its process would."""
        path = self.folder(run) / "status.json"
        import json

        status = Status.from_json(json.loads(path.read_text()))
        write_json(path, status.with_changes(**changes).to_json())

    def finish(self, run: str, bleu: Mapping[str, float]) -> None:
        """Let a running run finish."""
        EventLog(self.folder(run) / "events.jsonl").append("end", state="finished")
        self._write_scores(self.folder(run), bleu)
        self.change(run, state="finished", progress=1.0, ended=time.time())
        self._end(run)

    def close(self) -> None:
        """End every process."""
        for run in list(self._processes):
            self._end(run)

    def _alive(self, status: Status) -> Status:
        token = f"mtlab-written-{status.id}"
        process = subprocess.Popen(
            ["sleep", "7200"], start_new_session=True, env={**os.environ, TOKEN_VARIABLE: token}
        )
        self._processes[status.id] = process
        mark = start_mark(process.pid)
        return status.with_changes(
            pid=process.pid, started=mark, token=token, device="cpu", heartbeat=time.time()
        )

    def _end(self, run: str) -> None:
        process = self._processes.pop(run, None)
        if process is not None:
            process.kill()
            process.wait(10)

    @staticmethod
    def _write_events(
        folder: Path, spec: RunSpec, steps: int, probes: Sequence[int], hypothesis: str
    ) -> None:
        log = EventLog(folder / "events.jsonl")
        for step in range(1, steps + 1):
            log.append(
                "step", step=step, steps=steps, loss=round(3 / step, 3), tokens_per_second=900.0,
                memory_mb=800,
            )  # fmt: skip
            if step not in probes:
                continue
            log.append("probe", step=step, steps=steps, bleu=step, chrf=10.0 + step, n=3)
            for source, reference in _SEGMENTS:
                said = hypothesis.replace("{step}", str(step)).replace("{source}", source)
                log.append(
                    "sample", step=step, direction=str(spec.tested[0]), source=source,
                    reference=reference, hypothesis=said,
                )  # fmt: skip

    @staticmethod
    def _write_scores(folder: Path, bleu: Mapping[str, float]) -> None:
        def scored(value: float) -> dict[str, Any]:
            interval = {"low": value - 1, "high": value + 1, "n": 3, "seed": 12345}
            return {
                "bleu": {"value": value, "signature": SIGNATURE, **interval},
                "failures": {"off-target": 0.25},
            }

        write_json(
            folder / "scores.json",
            {
                "scores": {direction: scored(value) for direction, value in bleu.items()},
                "base": {direction: scored(0.5) for direction in bleu},
            },
        )
        (folder / "translations").mkdir(exist_ok=True)
        for direction in bleu:
            rows = [
                {
                    "index": index, "source": source, "reference": reference,
                    "hypothesis": reference, "base": source, "failures": [], "base_failures": [],
                }
                for index, (source, reference) in enumerate(_SEGMENTS)
            ]  # fmt: skip
            write_lines(folder / "translations" / f"{direction}.jsonl", rows)

"""The process that does a run: `python -m mtlab.runs.job FOLDER --token TOKEN`.

With `--spare` instead of the folder it loads all that runs load, and is told the folder later.

Started by the supervisor in a session of its own, with its output in `job.log`. It ends by itself;
a stop file or SIGTERM makes it save and end. Its exit status says little: the end is an event.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path

from mtlab.errors import MtlabError
from mtlab.halving import Part, can_halve, halved_part, in_words
from mtlab.runs.crew import Crew, MateLost, share_of_threads
from mtlab.runs.explaining import explain, is_disk_full, is_out_of_memory
from mtlab.runs.files import read_json
from mtlab.runs.fitting import as_used
from mtlab.runs.reporting import Reporter
from mtlab.runs.settling import ATTEMPT, EXIT_DISK_FULL, can_resume
from mtlab.runs.spare import wait_for_run
from mtlab.runs.status import Phase, State, Status
from mtlab.secrecy import redacted
from mtlab.settings import Settings
from mtlab.spec import RunSpec

_HALVED_IN: dict[Phase, Part] = {"base": "decoding", "train": "training", "decode": "decoding"}
"""What a smaller batch helps, by the phase in which memory ran out; it helps no other phase."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do the run in a folder; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m mtlab.runs.job")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("folder", type=Path, nargs="?")
    which.add_argument("--spare", action="store_true")
    parser.add_argument("--token", required=True)
    args = parser.parse_args(arguments)
    folder: Path | None = wait_for_run() if args.spare else args.folder
    if folder is None:
        return 0
    status = _claimed(folder, args.token)
    if status is None:
        print("this run was given to another process, or is no longer there", file=sys.stderr)
        return 3
    wish = StopWish(folder)
    signal.signal(signal.SIGTERM, wish.hear)
    try:
        return _run(folder, status, wish)
    except BaseException as error:
        # Even the end could not be written: say it where the supervisor looks.
        _print_traceback()
        return EXIT_DISK_FULL if is_disk_full(error) else 1


class StopWish:
    """Whether the run is wanted to end: a stop file from a person, SIGTERM from anyone.

    Args:
        folder: the run's.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / "stop.json"
        self._signalled = False

    def hear(self, number: int, frame: object) -> None:
        """Note a signal; the run ends at its next step."""
        self._signalled = True

    def __call__(self) -> bool:
        """Whether anyone wants it to end."""
        return self._signalled or self.is_by_a_person

    @property
    def is_by_a_person(self) -> bool:
        """Whether a person asked, so that the run was stopped and not interrupted."""
        return self._file.exists()


def _claimed(folder: Path, token: str) -> Status | None:
    """The status, if this process is the one the run was given to."""
    try:
        status = Status.from_json(read_json(folder / "status.json") or {})
    except ValueError:
        return None
    return status if status.state == "running" and status.token == token else None


def _run(folder: Path, status: Status, wish: StopWish) -> int:
    reporter = Reporter(folder, status)
    spec: RunSpec | None = None
    try:
        spec = RunSpec.from_json(read_json(folder / "spec.json") or {})
        for part in status.halved:
            spec = halved_part(spec, part)
        if status.devices != spec.devices:
            spec = spec.with_changes(devices=status.devices)
        # Here, inside: what it imports may fail, and that is to be told like anything else.
        from mtlab.runs.pipeline import Pipeline, Stopped
        from mtlab.runs.untrained import Untrained

        kind = Pipeline if spec.training.trains else Untrained
        settings = Settings.from_environment()
        if spec.devices > 1 and _can_be_shared(spec, settings):
            settings = share_of_threads(settings, spec)
        try:
            with _crew(folder, spec, settings, reporter) as crew:
                kind(folder, spec, settings, reporter, wish, crew).run()
        except Stopped:
            reporter.end("stopped" if wish.is_by_a_person else "interrupted")
            return 0
    except MateLost as error:
        return _end_without_mate(folder, reporter, error)
    except (Exception, KeyboardInterrupt) as error:
        if not isinstance(error, MtlabError):
            _print_traceback()
        if spec is not None and is_out_of_memory(error):
            _begin_again_lighter(folder, reporter, spec)
        reporter.end("failed", explain(error, reporter.status.phase))
        return EXIT_DISK_FULL if is_disk_full(error) else 1
    reporter.end("finished")
    return 0


@contextlib.contextmanager
def _crew(
    folder: Path, spec: RunSpec, settings: Settings, reporter: Reporter
) -> Iterator[Crew | None]:
    """The processes that share the work of a run, where it is to be shared."""
    if spec.devices == 1 or not _can_be_shared(spec, settings):
        yield None
        return

    def on_stuck(error: MtlabError) -> None:
        # The thread that does the run waits for one that is gone, and cannot be woken.
        with contextlib.suppress(OSError):
            if isinstance(error, MateLost):
                os._exit(_end_without_mate(folder, reporter, error))
            if is_out_of_memory(error):
                _begin_again_lighter(folder, reporter, spec)
            reporter.end("failed", explain(error, reporter.status.phase))
        os._exit(1)

    crew = Crew(folder, spec, settings, on_stuck)
    try:
        yield crew
    finally:
        crew.close()


def _can_be_shared(spec: RunSpec, settings: Settings) -> bool:
    """Whether there is work for several: translation models and outputs have one process alone."""
    from mtlab.runs.systems import kind_of

    return spec.training.trains or kind_of(spec, settings) == "prompted"


def _end_without_mate(folder: Path, reporter: Reporter, error: MateLost) -> int:
    """End a run whose work another process shared that was killed, as if it had been killed."""
    state: State = "interrupted" if can_resume(folder) else "failed"
    reporter.end(state, explain(error, reporter.status.phase))
    return 1


def _print_traceback() -> None:
    """Write the traceback into `job.log`, which anyone who sees the page may read and which a full
    disk may not take.
    """
    with contextlib.suppress(OSError):
        print(redacted(traceback.format_exc()), file=sys.stderr, end="")


def _begin_again_lighter(folder: Path, reporter: Reporter, spec: RunSpec) -> None:
    """Start over with half the batch, once in a run and where that may help; else return.

    It is the same process that starts over, so that all memory is free again and the run keeps its
    device and its identity.

    Raises:
        OSError: it cannot be written down.
    """
    status = reporter.status
    part = _HALVED_IN.get(status.phase) if status.phase is not None else None
    if part is None or status.halved or not can_halve(as_used(spec, (), folder), part):
        return
    less = in_words(as_used(spec, (part,), folder), part)
    text = f"memory ran out in the phase '{status.phase}'; once more with half the batch ({less})"
    reporter.begin_again(part, text)
    print(f"{ATTEMPT}{status.attempts}, once more", flush=True)
    sys.stderr.flush()
    command = [sys.executable, "-m", "mtlab.runs.job", str(folder), "--token", str(status.token)]
    os.execv(sys.executable, command)


if __name__ == "__main__":
    code = main()
    with contextlib.suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    # Everything is on disk; taking torch apart module by module would only take time.
    os._exit(code)

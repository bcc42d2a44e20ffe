"""The process that does a run: `python -m mtlab.runs.job FOLDER --token TOKEN`.

Started by the supervisor in a session of its own, with its output in `job.log`. It ends by itself;
a stop file or SIGTERM makes it save and end. Its exit status says little: the end is an event.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from mtlab.errors import MtlabError
from mtlab.runs.explaining import explain, is_disk_full
from mtlab.runs.files import read_json
from mtlab.runs.reporting import Reporter
from mtlab.runs.settling import EXIT_DISK_FULL
from mtlab.runs.status import Status
from mtlab.settings import Settings
from mtlab.spec import RunSpec


def main(arguments: Sequence[str] | None = None) -> int:
    """Do the run in a folder; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m mtlab.runs.job")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--token", required=True)
    args = parser.parse_args(arguments)
    folder: Path = args.folder
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
        traceback.print_exc()
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
    try:
        spec = RunSpec.from_json(read_json(folder / "spec.json") or {})
        # Here, inside: what it imports may fail, and that is to be told like anything else.
        from mtlab.runs.pipeline import Pipeline, Stopped
        from mtlab.runs.untrained import Untrained

        kind = Pipeline if spec.training.trains else Untrained
        try:
            kind(folder, spec, Settings.from_environment(), reporter, wish).run()
        except Stopped:
            reporter.end("stopped" if wish.is_by_a_person else "interrupted")
            return 0
    except (Exception, KeyboardInterrupt) as error:
        if not isinstance(error, MtlabError):
            traceback.print_exc()
        reporter.end("failed", explain(error, reporter.status.phase))
        return EXIT_DISK_FULL if is_disk_full(error) else 1
    reporter.end("finished")
    return 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # Everything is on disk; taking torch apart module by module would only take time.
    os._exit(code)

"""This machine is measured by itself, once, when somebody first looks at the Launch form."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Mapping

from mtlab.forecasting.machine import machine_of
from mtlab.settings import Settings

COMMAND = (sys.executable, "-m", "mtlab.forecasting.calibration")
"""What measures and keeps it; it ends by itself after ten seconds or so."""


class Measuring:
    """Measures in a process of its own, at most once for each of these.

    Args:
        settings: whose home keeps what is found.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None

    def begin(self, environment: Mapping[str, str]) -> None:
        """Measure, unless that was done, or begun.

        Args:
            environment: that of a run: it is measured with as many threads.
        """
        if self._process is not None:
            self._process.poll()  # so that no dead child is left
            return
        if machine_of(self._settings).is_measured:
            return
        with contextlib.suppress(OSError):
            self._process = subprocess.Popen(
                COMMAND,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=dict(environment),
            )

    def end(self) -> None:
        """End it, where it has not ended."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

"""When a process is kept ready for the next run, and for which."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from subprocess import Popen
from typing import Literal

from mtlab.models.room import free_main_memory
from mtlab.runs.identity import new_token
from mtlab.runs.spare import Spare
from mtlab.settings import TOKEN_VARIABLE, Settings

_ROOM = 4 * 2**30
"""Free bytes without which none is kept: it holds a tenth of that, and the run it is for more."""


class Ready:
    """At most one process that stands ready, for one device.

    Args:
        settings: say how long; 0 minutes is never.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._seconds = 60.0 * settings.spare_minutes
        self._lock = threading.Lock()
        self._asked = -self._seconds
        self._device = ""
        self._wanted: Mapping[str, str] = {}
        self._spare: Spare | None = None
        self._held = ""

    def expect(self, device: str, environment: Mapping[str, str]) -> None:
        """Note that a run is about to be launched.

        Args:
            device: which it will hold.
            environment: which it will be given, but for its token.
        """
        with self._lock:
            self._asked, self._device, self._wanted = time.monotonic(), device, dict(environment)

    def tend(self, command: Sequence[str], now: Literal["busy", "idle"]) -> None:
        """Start one where one is wanted, and end one that is wanted no more, or not as it is.

        Args:
            command: what is started for a run.
            now: none is started while runs run or wait.
        """
        with self._lock:
            wanted = time.monotonic() - self._asked < self._seconds
            spare = self._spare
            if spare is not None and not (wanted and spare.is_alive):
                spare.end()
                self._spare = spare = None
                if wanted:
                    self._asked = -self._seconds  # it died by itself: once is enough
                return
            if spare is not None and spare.environment != self._given(spare.token):
                spare.end()
                self._spare = None
                return
            if spare is None and wanted and now == "idle" and free_main_memory() > _ROOM:
                token = new_token()
                environment = self._given(token)
                with contextlib.suppress(OSError):
                    home = self._settings.home
                    self._spare = Spare.start(command, token, environment, home)
                    self._held = self._device

    def _given(self, token: str) -> dict[str, str]:
        return {**self._wanted, TOKEN_VARIABLE: token}

    def token_for(self, devices: Sequence[str]) -> str | None:
        """The token of the process that stands ready for one of the devices; None without one."""
        with self._lock:
            spare = self._spare
            return spare.token if spare and self._held in devices and spare.is_alive else None

    def become(
        self, folder: Path, token: str, environment: Mapping[str, str]
    ) -> Popen[bytes] | None:
        """Let it do a run; None, and nothing of it is left, where it is not the one for it.

        Args:
            folder: the run's.
            token: the run's; of another one's process nothing is done.
            environment: what the run is to be given, but for its token.
        """
        with self._lock:
            spare = self._spare
            if spare is None or spare.token != token:
                return None
            self._spare = None
            if spare.environment != {**environment, TOKEN_VARIABLE: token}:
                spare.end()
                return None
            return spare.become(folder)

    def end(self) -> None:
        """End it, if there is one."""
        with self._lock:
            if self._spare is not None:
                self._spare.end()
                self._spare = None

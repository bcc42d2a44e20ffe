"""Which process is a run's: its pid, when it started, and a token in its arguments.

A pid alone is reused by the system, and a start time alone can be wrong after the clock is set
back; the three together name one process. On Linux the start is counted by the kernel since boot
and marked with the boot, so that neither the clock nor a restart confuses it. Signals go to the
whole process group, and only to members that carry the token.
"""

from __future__ import annotations

import os
import re
import secrets
import signal
import socket
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from mtlab.settings import TOKEN_VARIABLE

_PROC = Path("/proc")
_PREFIX = "mtlab-"
_TOKEN = re.compile(re.escape(_PREFIX) + "[0-9a-f]{24}")
_HAS_PROC = (_PROC / "self" / "stat").exists()


def new_token() -> str:
    """A word that no other process carries."""
    return _PREFIX + secrets.token_hex(12)


def this_host() -> str:
    """A word for this machine since its last boot: a pid means something only within it."""
    return f"{socket.gethostname()}:{_boot()}"


def is_this_machine(host: str) -> bool:
    """Whether `host` is this machine, restarted since or not."""
    return host.rpartition(":")[0] == socket.gethostname()


@dataclass(frozen=True)
class ProcessIdentity:
    """One process, for ever."""

    pid: int
    started: str | None
    token: str | None

    @classmethod
    def of_this_process(cls, token: str | None = None) -> ProcessIdentity:
        """The identity of the caller."""
        return cls(os.getpid(), start_mark(os.getpid()), token)

    def is_alive(self) -> bool:
        """Whether that very process lives; a zombie does not."""
        mark = start_mark(self.pid)
        if mark is None or (self.started is not None and mark != self.started):
            return False
        if self.token is None:
            return True
        arguments = _arguments(self.pid)
        # While a process becomes another program it has no arguments for a moment, but its start.
        if self.started is not None and not any(arguments):
            return True
        return self.token in arguments or _environment_has(self.pid, self.token)

    def group(self) -> list[int]:
        """The pids of its process group that still live and carry its token, itself included."""
        members = []
        for pid in _pids():
            try:
                same = os.getpgid(pid) == self.pid
            except OSError:
                continue
            if same and start_mark(pid) and self.token and carries(pid, self.token):
                members.append(pid)
        return members

    def signal_group(self, number: signal.Signals) -> bool:
        """Send a signal to its process group if any member of it is the run's; say whether."""
        if self.pid <= 1 or self.pid == os.getpgrp() or not self.group():
            return False
        try:
            os.killpg(self.pid, number)
        except OSError:
            return False
        return True


def find_by_token(token: str) -> ProcessIdentity | None:
    """The process whose arguments hold `token` and that leads its group, if there is one."""
    for pid in _pids():
        if pid != os.getpid() and token in _arguments(pid):
            found = _leader(pid, token)
            if found is not None:
                return found
    return None


def find_in_folder(folder: Path) -> ProcessIdentity | None:
    """The process that works in a folder with a run's token among its arguments, and leads its
    group, if there is one.
    """
    where = os.path.realpath(folder)
    for pid in _pids():
        if pid == os.getpid() or _working_folder(pid) != where:
            continue
        token = next((one for one in _arguments(pid) if _TOKEN.fullmatch(one)), None)
        found = _leader(pid, token) if token is not None else None
        if found is not None:
            return found
    return None


def _leader(pid: int, token: str) -> ProcessIdentity | None:
    mark = start_mark(pid)
    try:
        leads = os.getpgid(pid) == pid
    except OSError:
        return None
    return ProcessIdentity(pid, mark, token) if mark is not None and leads else None


def start_mark(pid: int) -> str | None:
    """When a process started, as a word to compare; None when it is gone or a zombie."""
    if _HAS_PROC:
        try:
            text = (_PROC / str(pid) / "stat").read_text(errors="replace")
        except OSError:
            return None
        # The command's name stands in brackets and may hold anything; what follows it may not.
        parts = text.rpartition(")")[2].split()
        if len(parts) < 20 or parts[0] in "ZXx":
            return None
        return f"{_boot()}:{parts[19]}"
    return _portable_start(pid)


def carries(pid: int, token: str) -> bool:
    """Whether a process has `token` among its arguments or in the environment it was given."""
    return token in _arguments(pid) or _environment_has(pid, token)


@lru_cache(maxsize=1)
def _boot() -> str:
    try:
        return (_PROC / "sys/kernel/random/boot_id").read_text().strip()[:8]
    except OSError:
        return "boot"


def _pids() -> list[int]:
    if _HAS_PROC:
        return [int(name) for name in os.listdir(_PROC) if name.isdigit()]
    import psutil

    return list(psutil.pids())


def _arguments(pid: int) -> list[str]:
    if _HAS_PROC:
        try:
            data = (_PROC / str(pid) / "cmdline").read_bytes()
        except OSError:
            return []
        return data.decode(errors="replace").split("\0")
    import psutil

    try:
        return list(psutil.Process(pid).cmdline())
    except psutil.Error:
        return []


def _working_folder(pid: int) -> str | None:
    if _HAS_PROC:
        try:
            return os.readlink(_PROC / str(pid) / "cwd")
        except OSError:
            return None
    import psutil

    try:
        return str(psutil.Process(pid).cwd())
    except psutil.Error:
        return None


def _environment_has(pid: int, token: str) -> bool:
    if _HAS_PROC:
        try:
            data = (_PROC / str(pid) / "environ").read_bytes()
        except OSError:
            return False
        return f"{TOKEN_VARIABLE}={token}".encode() in data.split(b"\0")
    import psutil

    try:
        return psutil.Process(pid).environ().get(TOKEN_VARIABLE) == token
    except psutil.Error:
        return False


def _portable_start(pid: int) -> str | None:
    import psutil

    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return f"{process.create_time():.2f}"
    except psutil.Error:
        return None

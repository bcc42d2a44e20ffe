"""A disk that can be filled: a small one of its own where that may be mounted, else the jobs' own
files refused as a full disk refuses them.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

SIZE = "24m"

REFUSAL = """
import errno, os, sys
from pathlib import Path
full, home = Path({full!r}), {home!r}

def refuse(event, args):
    if event != "open" or not isinstance(args[0], str) or not args[0].startswith(home):
        return
    writes = args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
    if writes and full.exists():
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), args[0])

sys.addaudithook(refuse)
"""


class SmallDisk:
    """The disk of a home.

    Args:
        home: an empty folder.
        aside: a folder on another disk.
    """

    def __init__(self, home: Path, aside: Path) -> None:
        self.home = home
        mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(home)]
        self.is_real = _runs(mount)
        self._ballast, self._full = home / "ballast", aside / "disk-is-full"
        self.prelude = "" if self.is_real else REFUSAL.format(full=str(self._full), home=str(home))

    def fill(self) -> None:
        """Leave no byte free."""
        if not self.is_real:
            self._full.touch()
            return
        with open(self._ballast, "ab", buffering=0) as file:
            for size in (1 << 20, 1 << 12, 1):
                while _written(file, b"\0" * size):
                    pass

    def free(self) -> None:
        """Make room again."""
        self._full.unlink(missing_ok=True)
        self._ballast.unlink(missing_ok=True)

    def unmount(self) -> None:
        """Give it back."""
        if self.is_real:
            subprocess.run(["umount", "-l", str(self.home)], check=True)


def _written(file: object, data: bytes) -> bool:
    try:
        return file.write(data) == len(data)  # type: ignore[attr-defined]
    except OSError:
        return False


def _runs(command: list[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False

"""Becomes a run's process, which then ends when the actor that started it does.

`python leash.py PARENT COMMAND...`: a plain script that imports nothing of mtlab. Linux keeps the
request over `exec`; elsewhere a run's process may outlive its actor.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Ask the system for the signal, then become the command."""
    parent, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it was gone before this was asked for
            sys.exit(1)
    os.execv(command[0], command)


if __name__ == "__main__":
    main()

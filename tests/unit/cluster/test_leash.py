"""A run's process ends with the actor that started it, even one that is killed."""

import os
import signal
import subprocess
import sys
import time

import pytest

from mtlab.cluster import leash

PARENT = """
import os, subprocess, sys
child = subprocess.Popen(
    [sys.executable, sys.argv[1], str(os.getpid()), sys.executable, "-c",
     "import time; print('up', flush=True); time.sleep(60)"],
    start_new_session=True, stdout=subprocess.PIPE,
)
child.stdout.readline()
print(child.pid, flush=True)
child.wait()
"""


def test_a_killed_parent_takes_its_child_along():
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, leash.__file__], stdout=subprocess.PIPE, text=True
    )
    child = int(parent.stdout.readline())
    os.kill(child, 0)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    for _ in range(200):
        try:
            with open(f"/proc/{child}/stat", encoding="ascii") as file:
                if file.read().rpartition(")")[2].split()[0] in "ZX":
                    return
        except FileNotFoundError:
            return
        time.sleep(0.05)
    os.kill(child, signal.SIGKILL)
    pytest.fail("the child outlived its parent")

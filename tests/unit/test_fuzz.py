"""Nothing but clear sentences for 10,000 broken inputs to every parser, reader and endpoint.

`MTLAB_FUZZ=1000000` digs deeper; `python -m tests.fuzz TARGET COUNT` does one target.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TARGETS = ("specs", "yaml_files", "uploads", "word_lists", "run_files", "endpoints")


@pytest.mark.parametrize("target", TARGETS)
def test_broken_inputs_are_refused_in_a_sentence(target):
    count = os.environ.get("MTLAB_FUZZ", "10000")
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", target, count],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr[-4000:]

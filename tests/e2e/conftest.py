import json
import os
import shutil
import subprocess
import sys

import pytest

from tests.comet_fixtures import comet_settings, tiny_comet
from tests.real_runs import jobs_do_first, lab, spec

__all__ = [
    "comet_settings",
    "jobs_do_first",
    "lab",
    "mtlab",
    "sacrebleu_cache",
    "spec",
    "tiny_comet",
    "wmt_cache",
]


@pytest.fixture
def mtlab(tmp_path):
    """The command line as a person calls it: gives (status, JSON, all its text)."""

    def call(*words, stdin="", **environment):
        done = subprocess.run(
            [sys.executable, "-m", "mtlab", *words],
            input=stdin,
            capture_output=True,
            text=True,
            encoding="utf-8",
            cwd=tmp_path,
            env={**os.environ, "MTLAB_HOME": str(tmp_path / "home"), **environment},
        )
        assert "Traceback" not in done.stderr, done.stderr
        last = done.stdout.rstrip("\n").rpartition("\n")[2]
        data = json.loads(last) if "--json" in words and last.startswith("{") else None
        return done.returncode, data, done.stdout + done.stderr

    return call


@pytest.fixture
def wmt_cache(shared, tmp_path):
    """sacrebleu's own cache with the real WMT files, in a place that may be written."""
    return shutil.copytree(shared / "sacrebleu", tmp_path / "sacrebleu")


@pytest.fixture(scope="session")
def sacrebleu_cache(shared, tmp_path_factory):
    """The same, once for all tests that only read it."""
    cache = tmp_path_factory.mktemp("sacrebleu") / "cache"
    shutil.copytree(shared / "sacrebleu", cache, copy_function=shutil.copyfile)
    for folder, _, _ in os.walk(cache):
        os.chmod(folder, 0o755)  # the shared files are read-only, and sacrebleu sets locks
    return cache

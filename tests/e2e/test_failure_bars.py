"""The bars of docs/failures.md, held on a sample of the real files by the script that made it."""

import json
import os
import subprocess
import sys

import pytest

SAMPLE = 25


@pytest.fixture(scope="module")
def measured(sacrebleu_cache):
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.failures", "--sample", str(SAMPLE), "--json"],
        capture_output=True,
        encoding="utf-8",
        check=False,
        env={**os.environ, "SACREBLEU": str(sacrebleu_cache)},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("name", "off_target", "any_other"),
    [("WMT17-20", 0.005, 0.01), ("WMT21-22", 0.005, 0.01), ("everyday", 0.02, 0.01)],
)
def test_true_translations_are_rarely_flagged(measured, name, off_target, any_other):
    for side in ("references", "sources"):
        for kind, share in measured[name][side].items():
            bar = off_target if kind == "off-target" else any_other
            assert share <= bar, f"{share:.2%} of true {side} are flagged {kind}"


@pytest.mark.parametrize("name", ["WMT17-20", "WMT21-22", "everyday"])
def test_planted_failures_are_found_and_wrong_languages_named(measured, name):
    for kind, share in measured[name]["planted"].items():
        assert share >= 0.98, f"only {share:.2%} of planted {kind} were found"
    assert measured[name]["named"] >= 0.98


def test_without_the_files_it_says_what_to_do(tmp_path):
    nowhere = "http://127.0.0.1:9"
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.failures", "--sample", "1"],
        capture_output=True,
        encoding="utf-8",
        check=False,
        env={
            **os.environ,
            "SACREBLEU": str(tmp_path),
            **{"http_proxy": nowhere, "https_proxy": nowhere, "no_proxy": ""},
        },
    )
    assert done.returncode == 2
    assert "is not in" in done.stderr and "SACREBLEU" in done.stderr
    assert "Traceback" not in done.stderr

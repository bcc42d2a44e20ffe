import json

import pytest

from tests import audit


def answer(*dependencies):
    return json.dumps({"dependencies": list(dependencies), "fixes": []})


SOUND = {"name": "gradio", "version": "6.31.0", "vulns": []}
UNKNOWN = {"name": "torch", "skip_reason": "Dependency not found on PyPI"}
FLAWED = {
    "name": "x", "version": "1", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2"], "aliases": []}]
}  # fmt: skip


@pytest.mark.parametrize(
    ("output", "errors", "says", "status"),
    [
        (answer(SOUND), "", "nothing known against 1 packages", 0),
        (answer(SOUND, UNKNOWN), "", "against 1 packages; not known there: torch", 0),
        (answer(SOUND, *[UNKNOWN] * 7), "", "and 2 more", 0),
        (answer(SOUND, FLAWED), "", "VULNERABLE\n  x 1: PYSEC-1, mended in 2", 1),
        (answer(UNKNOWN, FLAWED), "", "VULNERABLE", 1),
        (answer(UNKNOWN), "", "NOT DONE, the advisory service knows none of 1 packages", 0),
        ("", "ERROR: ConnectionError", "NOT DONE, .* did not answer \\(ERROR: Conn", 0),
        ("", "No module named pip_audit", "NOT DONE", 0),
        ("null", "", "NOT DONE, the advisory service did not answer \\(no answer\\)", 0),
    ],
)  # fmt: skip
def test_only_a_known_flaw_fails_and_silence_is_said(output, errors, says, status):
    import re

    said, code = audit.judged(output, errors)
    assert re.search(says, said) and code == status

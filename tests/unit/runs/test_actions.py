"""What can be done with a run in each state."""

import pytest

from mtlab.runs.actions import possible
from mtlab.runs.status import Status
from mtlab.spec import RunSpec

SPEC = RunSpec(train=("de-en",), training={"batch_size": 4, "accumulation": 4})
OUT_OF_MEMORY = {"what": "memory ran out in the phase 'train'", "why": None, "fix": "x"}
KILLED = {"what": "the run's process ended", "why": "memory ran out", "fix": "x"}


@pytest.mark.parametrize(
    ("state", "error", "expected"),
    [
        ("queued", None, {"clone", "stop", "discard"}),
        ("running", None, {"clone", "stop", "discard"}),
        ("finished", None, {"clone", "compare", "delete"}),
        ("stopped", None, {"clone", "resume", "delete"}),
        ("interrupted", None, {"clone", "resume", "delete"}),
        ("failed", {"what": "x", "why": None, "fix": None}, {"clone", "resume", "delete"}),
        ("failed", OUT_OF_MEMORY, {"clone", "resume", "delete", "halve"}),
        ("interrupted", KILLED, {"clone", "resume", "delete", "halve"}),
    ],
)
def test_only_what_makes_sense_is_possible(state, error, expected):
    assert possible(SPEC, Status("x", state=state, error=error)) == expected


def test_a_run_that_is_stopping_is_not_stopped_again():
    assert possible(SPEC, Status("x", state="running"), stopping=True) == {"clone"}


@pytest.mark.parametrize(
    "spec",
    [
        RunSpec(train=("de-en",), training={"batch_size": 1, "accumulation": 16}),
        RunSpec(training={"method": "none"}, test=("de-en",), decoding={"token_budget": 64}),
    ],
)
def test_a_batch_that_cannot_be_smaller_is_not_halved(spec):
    assert "halve" not in possible(spec, Status("x", state="failed", error=OUT_OF_MEMORY))


def test_of_a_system_that_is_not_trained_decoding_is_halved():
    spec = RunSpec(training={"method": "none"}, test=("de-en",), decoding={"token_budget": 512})
    assert "halve" in possible(spec, Status("x", state="failed", error=OUT_OF_MEMORY))


def test_time_is_lent_to_a_run_that_waits_for_it():
    waiting = Status("x", state="queued", wants="zero")
    assert "lend" in possible(SPEC, waiting)
    assert "lend" not in possible(SPEC, Status("x", state="queued"))
    assert "lend" not in possible(SPEC, waiting.with_changes(state="running"))

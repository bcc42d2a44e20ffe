"""Whatever ends a run is told as what, why and what to do."""

import errno

import pytest

from mtlab.errors import NotAvailable, RunFailed
from mtlab.runs.explaining import explain, is_disk_full, tells_of_memory


class OutOfMemoryError(RuntimeError):
    """Named as torch names its own."""


@pytest.mark.parametrize(
    ("error", "what"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "disk became full"),
        (RuntimeError("safetensors: I/O error: No space left on device"), "disk became full"),
        (MemoryError(), "memory ran out"),
        (OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), "memory ran out"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "memory ran out"),
        (KeyError("x"), "something unexpected"),
    ],
)
def test_each_has_a_name_and_the_phase(error, what):
    told = explain(error, "train")
    assert what in told["what"] and "'train'" in told["what"] and told["fix"]
    assert tells_of_memory(told) == ("memory" in what)


def test_what_training_and_decoding_say_of_memory_themselves():
    for what in ("training ran out of memory", "decoding ran out of memory, in half a batch too"):
        assert tells_of_memory(NotAvailable(what, fix="use less").to_json())
    killed = "it was killed, most often because the machine's memory ran out"
    assert tells_of_memory({"what": "the run's process ended", "why": killed})
    assert not tells_of_memory(None) and not tells_of_memory({"what": "the disk is full"})


def test_a_sentence_of_our_own_stays():
    error = RunFailed("the loss is no number", why="too fast", fix="lower the rate")
    assert explain(error, "train") == {
        "what": "the loss is no number",
        "why": "too fast",
        "fix": "lower the rate",
    }


def test_a_full_disk_is_seen_through_other_errors():
    try:
        try:
            raise OSError(errno.ENOSPC, "No space left on device")
        except OSError as cause:
            raise RuntimeError("could not save") from cause
    except RuntimeError as error:
        assert is_disk_full(error)

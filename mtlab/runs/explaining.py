"""What a person is told when a run fails: what, why, and what to do."""

from __future__ import annotations

from collections.abc import Mapping

from mtlab.errors import MtlabError
from mtlab.runs.files import FULL
from mtlab.secrecy import redacted

_FULL_WORDS = ("no space left on device", "disk quota exceeded", "database or disk is full")
_MEMORY_WORDS = (
    "out of memory", "memory ran out", "can't allocate memory", "cannot allocate memory",
)  # fmt: skip


def explain(error: BaseException, phase: str | None) -> dict[str, str | None]:
    """`{what, why, fix}` for whatever ended a run.

    Args:
        error: what was raised.
        phase: where; None before the first phase.
    """
    where = f" in the phase '{phase}'" if phase else " before its first phase"
    if isinstance(error, MtlabError):
        return error.to_json()
    if is_disk_full(error):
        return {
            "what": f"the disk became full{where}",
            "why": None,
            "fix": "free some space, then resume the run",
        }
    if is_out_of_memory(error):
        return {
            "what": f"memory ran out{where}",
            "why": _first_line(error),
            "fix": "use a smaller batch, token budget or base model",
        }
    return {
        "what": f"something unexpected went wrong{where}",
        "why": f"{type(error).__name__}: {_first_line(error)}",
        "fix": "see job.log in the run's folder; a resumed run goes on from its last checkpoint",
    }


def is_disk_full(error: BaseException) -> bool:
    """Whether the cause is a full disk, whichever library met it."""
    return any(
        (isinstance(one, OSError) and one.errno in FULL)
        or any(words in str(one).lower() for words in _FULL_WORDS)
        for one in _chain(error)
    )


def tells_of_memory(error: Mapping[str, str | None] | None) -> bool:
    """Whether a failed run's `{what, why, fix}` says that memory ran out: half the batch may help
    (`mtlab.halving.halved`).
    """
    texts = [str(error.get(part) or "").lower() for part in ("what", "why")] if error else []
    return any(words in text for words in _MEMORY_WORDS for text in texts)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether the cause is that memory ran out, in the machine or on its GPU."""
    return any(
        isinstance(one, MemoryError)
        or type(one).__name__ == "OutOfMemoryError"
        or any(words in str(one).lower() for words in _MEMORY_WORDS)
        for one in _chain(error)
    )


def _chain(error: BaseException) -> list[BaseException]:
    chain = [error]
    while (cause := chain[-1].__cause__ or chain[-1].__context__) and len(chain) < 10:
        chain.append(cause)
    return chain


def _first_line(error: BaseException) -> str:
    return redacted((str(error).strip().splitlines() or [""])[0][:300])

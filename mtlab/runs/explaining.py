"""What a person is told when a run fails: what, why, and what to do."""

from __future__ import annotations

from mtlab.errors import MtlabError
from mtlab.runs.files import FULL

_FULL_WORDS = ("no space left on device", "disk quota exceeded", "database or disk is full")
_MEMORY_WORDS = ("out of memory", "can't allocate memory", "cannot allocate memory")


def explain(error: BaseException, phase: str | None) -> dict[str, str | None]:
    """`{what, why, fix}` for whatever ended a run.

    Args:
        error: what was raised.
        phase: where; None before the first phase.
    """
    where = f" in the phase '{phase}'" if phase else " before its first phase"
    if isinstance(error, MtlabError):
        return error.to_json()
    chain = _chain(error)
    if is_disk_full(error):
        return {
            "what": f"the disk became full{where}",
            "why": None,
            "fix": "free some space, then resume the run",
        }
    if any(_is_memory(one) for one in chain):
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


def _is_memory(error: BaseException) -> bool:
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return any(words in str(error).lower() for words in _MEMORY_WORDS)


def _chain(error: BaseException) -> list[BaseException]:
    chain = [error]
    while (cause := chain[-1].__cause__ or chain[-1].__context__) and len(chain) < 10:
        chain.append(cause)
    return chain


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [""])[0][:300]

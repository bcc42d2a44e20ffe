"""The environments of rivals that the lab itself does not run on, built when first asked for.

Each lies in the lab's home, over the main environment (`mtlab.overlays`), so that a rival runs on
the same torch and transformers as the lab.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mtlab.errors import InputError
from mtlab.overlays import Overlay
from mtlab.settings import Settings


@dataclass(frozen=True)
class Peer:
    """A rival that needs packages of its own.

    Attributes:
        name: as a person reads it.
        requirements: a file with them, beside this module.
        proof: Python that must run in its environment.
        free_bytes: the room its building needs.
    """

    name: str
    requirements: str
    proof: str
    free_bytes: int


PEERS = {
    "trl": Peer("TRL", "trl_requirements.txt", "from trl import SFTTrainer", 100_000_000),
}


def ensure(peer: str, settings: Settings, tell: Callable[[str], None] = lambda text: None) -> Path:
    """The Python interpreter that has a rival's packages; built first if it is not there.

    Args:
        peer: a key of `PEERS`.
        settings: whose home it lies in.
        tell: told what is done while it is built.

    Raises:
        InputError: there is no such rival.
        NotAvailable: its environment cannot be built here: why, and what would help.
    """
    return overlay(peer, settings).ensure(lambda share, text: tell(text))


def overlay(peer: str, settings: Settings) -> Overlay:
    """A rival's environment, there or not.

    Raises:
        InputError: there is no such rival.
    """
    if peer not in PEERS:
        raise InputError(
            f"no environment is known for '{peer}'",
            field="against",
            fix=f"choose from {', '.join(PEERS)}",
        )
    known = PEERS[peer]
    return Overlay(
        name=known.name,
        folder=settings.home / "bench" / peer,
        requirements=Path(__file__).with_name(known.requirements),
        proof=known.proof,
        free_bytes=known.free_bytes,
        elsewhere="let MTLAB_HOME name",
    )

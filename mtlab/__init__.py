"""mtlab: the lab where a language model learns to translate.

    from mtlab import Lab, RunSpec
    lab = Lab()
    run = lab.launch(RunSpec(base="nano", size=32, train=["de-en"]))
    run.wait()
    run.scores()

Importing this package imports no torch.
"""

from typing import TYPE_CHECKING, Any

from mtlab.errors import InputError, MtlabError, NotAvailable, RunFailed
from mtlab.spec import Decoding, Direction, Noise, RunSpec, Training

if TYPE_CHECKING:
    from mtlab.lab import Lab, Run

__version__ = "0.1.0"

__all__ = [
    "Decoding",
    "Direction",
    "InputError",
    "Lab",
    "MtlabError",
    "Noise",
    "NotAvailable",
    "Run",
    "RunFailed",
    "RunSpec",
    "Training",
]


def __getattr__(name: str) -> Any:
    if name in ("Lab", "Run"):
        from mtlab import lab

        return getattr(lab, name)
    raise AttributeError(f"module 'mtlab' has no attribute '{name}'")

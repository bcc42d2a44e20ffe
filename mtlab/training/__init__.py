"""Fine-tuning on transformers' Trainer: LoRA or full, in optimizer steps, resumable to the bit.

tuning        the one verb, `fine_tune`
order         which examples each step sees, and how they are padded
watcher       progress out, the user's wish to stop in
checkpoints   which of a folder's checkpoints is whole

Importing this package imports torch; `runs.pipeline` does so only when there is something to train.
"""

from mtlab.training.checkpoints import last_checkpoint
from mtlab.training.order import Collator, ExampleOrder
from mtlab.training.tuning import Trained, fine_tune
from mtlab.training.watcher import PROBES, Emit, memory_mb

__all__ = [
    "PROBES",
    "Collator",
    "Emit",
    "ExampleOrder",
    "Trained",
    "fine_tune",
    "last_checkpoint",
    "memory_mb",
]

"""Fine-tuning on transformers' Trainer: LoRA or full, in optimizer steps, resumable to the bit.

tuning        the one verb, `fine_tune`
order         which examples each step sees, and how they are padded
attention     flash attention for a step's time, where there is one
masters       bf16 weights for steps, whose fp32 masters learn: full fine-tuning on one GPU
kernels       Liger's kernels or compiled layers, and LoRA's own products, for a step's time
lora          those products
batching      how a step's examples go through the model: in parts of like length, or end to end
distributed   one training shared among processes, a device each
sharding      the same with the model itself in shares
watcher       progress out, the user's wish to stop in
checkpoints   which of a folder's checkpoints is whole

Importing this package imports torch; `runs.pipeline` does so only when there is something to train.
"""

from mtlab.training.checkpoints import last_checkpoint
from mtlab.training.distributed import ALONE, Place
from mtlab.training.order import Collator, ExampleOrder
from mtlab.training.tuning import Trained, fine_tune
from mtlab.training.watcher import PROBES, Emit, memory_mb

__all__ = [
    "ALONE",
    "PROBES",
    "Collator",
    "Emit",
    "ExampleOrder",
    "Place",
    "Trained",
    "fine_tune",
    "last_checkpoint",
    "memory_mb",
]

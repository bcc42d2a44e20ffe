"""How many tokens go through a model at once in training, where a GPU's steps are not padded.

The more the better: of a large model, a pass of 2,048 tokens takes an H200 less time than Python
needs to ask for it. A spec's batch size says how much memory is sure to be needed; where there is
more, passes are wider, as far as whole steps.
"""

from __future__ import annotations

from mtlab.models.facts import Shape
from mtlab.models.formats import is_wide
from mtlab.models.memory import gpu_token_bytes
from mtlab.models.room import MAIN_MEMORY
from mtlab.spec import Training

_WIDER = 4  # times as wide as asked for: a batch that was halved for want of memory stays smaller
_SHARE = 0.85  # of the free memory
_CONTEXT = 6e8  # CUDA's own
# Bytes for each trained parameter, beside those that are there already.
_GRADIENT = 4
_LORA_STATE = 8  # Adam's moments
_MASTERS_STATE = 10  # and weights in bf16


def pass_tokens(shape: Shape, training: Training, trained: int, free: int) -> int:
    """The tokens of a pass at most.

    Args:
        shape: the model's.
        training: complete.
        trained: parameters that are trained.
        free: bytes, once the model is loaded.
    """
    asked = asked_tokens(training)
    if training.gradient_checkpointing:
        return asked
    state = _MASTERS_STATE if training.method == "full" else _LORA_STATE
    room = free - state * trained
    each = gpu_token_bytes(shape)
    wanted = min(training.accumulation or 1, _WIDER) * asked
    # In a step of one pass, gradients take the room that activations leave on the way back.
    if wanted * each <= _SHARE * room:
        return wanted
    held = int(_SHARE * (room - _GRADIENT * trained) / each)
    return min(max(asked, held), wanted)


def asked_tokens(training: Training) -> int:
    """Of a pass of the longest texts that the spec's batch size asks for."""
    return (training.batch_size or 1) * (training.max_length or 1)


def foretold_tokens(
    shape: Shape, training: Training, available: int, where: str, devices: int = 1
) -> int | None:
    """`pass_tokens` of a training whose model is not loaded yet; None where steps are padded.

    Args:
        shape: the model's.
        training: complete.
        available: free bytes.
        where: `MAIN_MEMORY`, or which GPU's.
        devices: that share the work.
    """
    if where == MAIN_MEMORY or devices > 1 or is_wide(training.precision, where):
        return None
    full = training.method == "full"
    trained = shape.parameters if full else shape.adapted(training.lora_rank)
    free = available - _CONTEXT - (4 if full else 2) * shape.parameters
    return pass_tokens(shape, training, trained, int(free))

"""What training and decoding cannot do without: operations to make, bytes to read.

Floating-point operations are those of a Llama's own arithmetic, a multiplication and an addition
counted as two. What some program makes beside them (activations computed again, padding, logits
that no loss asks for, the masked half of attention) is none of them, so that a share of a device's
rate says how much of it went into what had to be done.

Not covered: norms, rotations, softmax and the optimizer, which are not matrix products.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mtlab.models.facts import Shape


@dataclass(frozen=True)
class Operations:
    """Of some training, forth and back.

    Attributes:
        products: with weights.
        attention: between tokens and those before them, themselves included.
    """

    products: float
    attention: float

    @property
    def total(self) -> float:
        """All of them."""
        return self.products + self.attention


def training_operations(
    shape: Shape, lengths: Iterable[int], targets: int, *, rank: int | None = None
) -> Operations:
    """What training on some texts once takes.

    Each weight a token is multiplied with takes two operations forth, two back to the input, and
    two for its gradient; the last not where LoRA keeps it frozen. The tokens' table is looked up,
    not multiplied with; the table that makes logits is, for target tokens alone. Attention's
    operands all get gradients, whichever weights do.

    Args:
        shape: the model's.
        lengths: tokens of the texts, or of the rows they were packed into.
        targets: tokens that the loss counts.
        rank: of LoRA's matrices on all linear layers; None in full fine-tuning.
    """
    lengths = list(lengths)
    tokens = sum(lengths)
    met = linear_weights(shape) * tokens + shape.vocabulary * shape.hidden * targets
    forward = sum(
        2 * shape.layers * shape.hidden * length * (length + 1) for length in lengths
    )  # two products over a triangle of length x length
    if rank is None:
        return Operations(6.0 * met, 3.0 * forward)
    return Operations(4.0 * met + 6.0 * shape.adapted(rank) * tokens, 3.0 * forward)


def linear_weights(shape: Shape) -> int:
    """The weights of the linear layers, which every token is multiplied with."""
    hidden, kv, inner = shape.hidden, shape.kv_width, shape.inner
    return shape.layers * (2 * hidden * hidden + 2 * hidden * kv + 3 * hidden * inner)


@dataclass(frozen=True)
class Reading:
    """The bytes that decoding reads if all sentences are decoded in one batch.

    Attributes:
        weights: in all steps, once each.
        cache: keys and values: a sentence's prompt once a step, what each beam wrote for itself.
    """

    weights: float
    cache: float

    @property
    def total(self) -> float:
        """All of them."""
        return self.weights + self.cache


def decoding_reading(
    shape: Shape, prompts: Sequence[int], beams: int, steps: int, *, width: int
) -> Reading:
    """The least that decoding reads: nothing can be faster than the memory gives it.

    Args:
        shape: the model's.
        prompts: tokens of each sentence's prompt.
        beams: rows a sentence has.
        steps: tokens that every answer comes to.
        width: bytes of a number.
    """
    read = linear_weights(shape) + shape.vocabulary * shape.hidden
    position = 2 * shape.layers * shape.kv_width * width
    written = beams * len(prompts) * steps * (steps - 1) / 2
    return Reading(float(steps * read * width), float(position * (steps * sum(prompts) + written)))

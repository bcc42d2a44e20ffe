"""How much memory a run needs, estimated from its model's shape and its texts."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass, replace

from mtlab.models.facts import Shape
from mtlab.models.formats import is_wide
from mtlab.models.room import MAIN_MEMORY
from mtlab.spec import Decoding, Training

_GIB = 2**30
_PROCESS = 385e6  # python, torch, transformers and peft
_ADAPTING = 33e6  # what LoRA adds to it
_STATE = 16  # bytes a parameter that is trained: master weight, gradient, Adam's two moments
_CHECKPOINTED = 0.4  # of what a token keeps, where a layer is computed again
_MOST_SHAPES = 60
_TRANSLATING = 80e6
_STAYS = 0.14  # of what the untuned base's translating took, while the model is trained
_GPU = 6e8  # CUDA's own
# On a GPU the same by what a Llama's layer keeps for its backward pass, in bf16 and with SwiGLU,
# LoRA's products being the lab's own; as measured on an H200 with a model of 7 B (docs/speed.md).
_GPU_TOKEN_UNIT, _GPU_TOKEN_UNIT_LIGER = 18, 14
_GPU_CHECKPOINTED = 0.15
_GPU_TARGET_UNIT = 16
ALIVE = 0.6
"""The share of what beams have written that some beam still goes on from."""

_ROOM = 0.9  # the share of free memory that activations may fill before they are computed again


@dataclass(frozen=True)
class _Format:
    """What a number format takes on a CPU.

    Attributes:
        wide: times two bytes, a number.
        token: by method, bytes a token and layer, for each unit of width and half a unit of inner
            width: LoRA keeps each product's input as well.
        target: bytes a logit while training: itself, its logarithm, its gradient.
        logit: the same while translating.
        casts: bytes a parameter in steps of full fine-tuning: autocast's copies, the optimizer's.
        shapes: times the root of the number of shapes: kernels for each, and gaps between sizes.
        kv_copies: keys and values are copied where their room grows.
        step: kernels for each length of the past.
        left: by method, the share of what training took that is still there while the run's model
            translates.
    """

    wide: int
    token: Mapping[str, int]
    target: int
    logit: int
    casts: float
    shapes: float
    kv_copies: float
    step: float
    left: Mapping[str, float]


# Fitted to the peak memory (VmHWM) of real runs of nano and of random Llamas of 27 M and 98 M
# parameters, LoRA, full and few-shot, batches of 4 to 32, torch 2.13 on two CPU cores, one with
# instructions for bf16, one without (`python -m benchmarks.forecast_fit`); `python -m
# benchmarks.forecast` holds them against other runs.
_BF16 = _Format(
    wide=1, token={"full": 19, "lora": 51}, target=48, logit=16, casts=5.8, shapes=97e6,
    kv_copies=1.3, step=5e5, left={"full": 0.75, "lora": 0.75},
)  # fmt: skip
_FP32 = _Format(
    wide=2, token={"full": 40, "lora": 73}, target=39, logit=12, casts=2.9, shapes=15e6,
    kv_copies=1.15, step=0.0, left={"full": 0.65, "lora": 0.4},
)  # fmt: skip


@dataclass(frozen=True)
class Translating:
    """The fullest batch that is translated.

    Attributes:
        prompts: tokens of its prompts; 0 where nothing is translated.
        sentences: how many.
        rows: beams of each.
        answers: tokens that an answer may come to.
    """

    prompts: float
    sentences: float
    rows: int
    answers: float

    def cut(self, part: int) -> Translating:
        """The same with a part of the token budget, such as 8 for an eighth."""
        return replace(
            self,
            prompts=max(min(self.prompts, 512.0), self.prompts / part),
            sentences=max(1.0, self.sentences / part),
        )


NOTHING = Translating(0, 0, 1, 0)


@dataclass(frozen=True)
class Held:
    """What stands in memory at once.

    Attributes:
        tokens: of the fullest pass of training, padding included.
        targets: places of it for which logits are made.
        shapes: how many shapes of a batch come by.
        base: what the untuned base translates.
        own: what the run's own model does.
    """

    tokens: float
    targets: float
    shapes: int
    base: Translating
    own: Translating

    def cut(self, batch: int, training: Training, part: int) -> Held:
        """The same with another batch, and a part of the token budget.

        Args:
            batch: pairs of a pass as they were.
            training: as it is to be.
            part: of the token budget, such as 8 for an eighth.
        """
        share = (training.batch_size or 8) / batch
        return replace(
            self,
            tokens=self.tokens * share,
            targets=self.targets * share,
            base=self.base.cut(part),
            own=self.own.cut(part),
        )

    @classmethod
    def usual(cls, training: Training, decoding: Decoding | None = None) -> Held:
        """What sentences of usual length come to, where the texts are not known."""
        decoding = decoding or Decoding()
        batch, most = training.batch_size or 8, training.max_length or 512
        budget = decoding.token_budget or 8192
        rows = decoding.beams if decoding.strategy == "beam" else 1
        prompts = budget / rows
        full = Translating(prompts, prompts / 100, rows, min(decoding.token_limit, 128))
        return cls(batch * min(most, 160), batch * min(most, 48), shapes=24, base=full, own=full)


@dataclass(frozen=True)
class MemoryNeed:
    """An estimate of what a run needs at its fullest, and what there is, in bytes.

    Attributes:
        weights: the model's weights.
        training: gradients, optimizer state and master weights.
        activations: what a forward and backward pass keeps; or, where more, what translating does.
        process: the program itself.
        available: what is free.
        where: `MAIN_MEMORY`, or which GPU's.
    """

    weights: int
    training: int
    activations: int
    process: int
    available: int
    where: str

    @property
    def total(self) -> int:
        """All of it."""
        return self.weights + self.training + self.activations + self.process

    def scaled(self, factor: float) -> MemoryNeed:
        """The same with all parts as many times as large, where runs have shown as much."""
        return replace(
            self,
            weights=int(factor * self.weights),
            training=int(factor * self.training),
            activations=int(factor * self.activations),
            process=int(factor * self.process),
        )

    def sentence(self) -> str:
        """For people: what it needs and what there is."""
        return (
            f"about {self.total / _GIB:.1f} GiB needed, "
            f"{self.available / _GIB:.1f} GiB free ({self.where})"
        )


@dataclass(frozen=True)
class Spread:
    """Among how many devices a run's work is shared, and how.

    Attributes:
        devices: how many; on a CPU they are processes, which share its memory.
        strategy: `ddp`, the whole model on each, or `fsdp`, a share of it while it is trained.
    """

    devices: int = 1
    strategy: str = "ddp"

    def need(self, alone: MemoryNeed, least: int) -> MemoryNeed:
        """What each GPU needs, or all processes together in main memory.

        Args:
            alone: what one device alone needs.
            least: the weights' bytes as the model translates, whole on each device.
        """
        share = self.devices if self.strategy == "fsdp" else 1
        weights = max(alone.weights // share, least) if share > 1 else alone.weights
        each = replace(alone, weights=weights, training=alone.training // share)
        if alone.where != MAIN_MEMORY or self.devices == 1:
            return each
        others = (self.devices - 1) * each.total
        return replace(each, activations=each.activations + others)


ONE = Spread()


def settled(
    training: Training,
    shape: Shape,
    available: int,
    where: str,
    held: Held | None = None,
    spread: Spread = ONE,
) -> Training:
    """A training of which it is decided whether activations are computed again to save memory.

    Where the spec leaves that open, they are where memory asks for it, and always where several
    processes share the training, which must do alike. What is learnt is the same.

    Args:
        training: complete.
        shape: of the model.
        available: free bytes.
        where: `MAIN_MEMORY`, or which GPU's.
        held: what stands in memory at once; of sentences of usual length when not given.
        spread: how the work is shared.
    """
    if training.gradient_checkpointing is not None or not training.trains:
        return training
    again = spread.devices > 1
    if not again:
        kept = training.model_copy(update={"gradient_checkpointing": False})
        again = estimate(shape, kept, available, where, held).total > _ROOM * available
    return training.model_copy(update={"gradient_checkpointing": again})


def spread_need(
    shape: Shape,
    training: Training,
    available: int,
    where: str,
    spread: Spread,
    held: Held | None = None,
) -> MemoryNeed:
    """As `estimate`, of a run whose work is shared among devices, and of which what is open is
    settled.
    """
    training = settled(training, shape, available, where, held, spread)
    bytes_each = 4 if is_wide(training.precision, where) else 2
    alone = estimate(shape, training, available, where, held)
    return spread.need(alone, bytes_each * shape.parameters)


def estimate(
    shape: Shape, training: Training, available: int, where: str, held: Held | None = None
) -> MemoryNeed:
    """The estimate alone: it is meant to be right within a tenth, and rather too high.

    Args:
        shape: of the model.
        training: complete.
        available: free bytes.
        where: `MAIN_MEMORY`, or which GPU's.
        held: what stands in memory at once; of sentences of usual length when not given.
    """
    held = held or Held.usual(training)
    on_gpu = where != MAIN_MEMORY
    number = _FP32 if is_wide(training.precision, where) else _BF16
    weights = 2.0 * number.wide * shape.parameters
    process = _GPU if on_gpu else _PROCESS
    first, then = _reading(shape, held.base, number), _reading(shape, held.own, number)
    if not training.trains:
        return _need(weights, 0.0, max(first, then), process, available, where)
    full = training.method == "full"
    kind = "full" if full else "lora"
    trained = shape.parameters if full else shape.adapted(training.lora_rank)
    state = float(_STATE * trained)
    masters = full and on_gpu and number is _BF16
    if full and not masters:
        weights, state = 4.0 * shape.parameters, (_STATE - 4.0) * trained
    unit: float = number.wide * _gpu_token_unit() if on_gpu else number.token[kind]
    if training.gradient_checkpointing:
        unit *= _GPU_CHECKPOINTED if on_gpu else _CHECKPOINTED
    learning = held.tokens * shape.layers * (shape.hidden + shape.inner / 2) * unit
    learning += held.targets * shape.vocabulary * (_GPU_TARGET_UNIT if on_gpu else number.target)
    left = 0.0
    if not on_gpu:
        process += 0.0 if full else _ADAPTING
        learning += _STAYS * first + min(held.shapes, _MOST_SHAPES) ** 0.5 * number.shapes
        left = number.left[kind] * learning
        learning += number.casts * shape.parameters if full else 0.0
    # While it translates there is no optimizer, nor most of what training brought along.
    translating = max(first, then + left) - state
    return _need(weights, state, max(learning, translating), process, available, where)


def gpu_token_bytes(shape: Shape) -> float:
    """What a token of a training pass in bf16 keeps on a GPU for the way back, where half of all
    tokens are targets.
    """
    logits = _GPU_TARGET_UNIT * shape.vocabulary / 2
    return shape.layers * (shape.hidden + shape.inner / 2) * _gpu_token_unit() + logits


def _gpu_token_unit() -> int:
    liger = importlib.util.find_spec("liger_kernel") is not None
    return _GPU_TOKEN_UNIT_LIGER if liger else _GPU_TOKEN_UNIT


def _reading(shape: Shape, held: Translating, number: _Format) -> float:
    """What translating keeps: keys and values of the prompts and of all beams, logits, kernels."""
    if not held.prompts:
        return 0.0
    kept = held.prompts + ALIVE * held.sentences * held.rows * held.answers
    keys = kept * shape.layers * 2 * shape.kv_width * 2 * number.wide * number.kv_copies
    logits = held.sentences * held.rows * shape.vocabulary * number.logit
    return keys + logits + held.answers * number.step + _TRANSLATING


def _need(
    weights: float, state: float, activations: float, process: float, available: int, where: str
) -> MemoryNeed:
    return MemoryNeed(int(weights), int(state), int(activations), int(process), available, where)


def per_parameter(training: Training, where: str) -> tuple[int, int]:
    """Bytes for each parameter: its weight, and what training keeps beside it."""
    if training.method == "full":
        return 4, _STATE - 4
    return (4 if is_wide(training.precision, where) else 2), 0

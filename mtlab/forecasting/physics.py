"""From work and a machine's rates to seconds: what a run would take if nothing else were known.

The constants were fitted to the seconds of real runs on two idle cores without a GPU, of nano and
of random Llamas of 27 M and 98 M parameters, LoRA, full fine-tuning and few-shot
(`docs/speed.md`). They say how much of a machine's rates mtlab's own code reaches; where that
changes, finished runs correct it (`mtlab.forecasting.experience`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from mtlab.forecasting.machine import Machine, layer_size
from mtlab.forecasting.work import PROBES, Batches, Teaching, Work
from mtlab.models.facts import Shape
from mtlab.runs.status import Phase


@dataclass(frozen=True)
class Answers:
    """How long a system's answers are.

    Attributes:
        ended: the share that come to an end of their own; the others run to the limit.
        ratio: tokens of those that end, for each token of the reference.
        by: the same of single directions, where that is known.
    """

    ended: float
    ratio: float
    by: Mapping[str, Answers] = field(default_factory=dict)

    def of(self, direction: str) -> Answers:
        """Those of a direction; of all where it is not known, or several are meant (`""`)."""
        return self.by.get(direction, self)


_BF16: Mapping[str, float] = {
    # Of decoding: passes, rows of beams, keys and values that are read, logits; the prompts' own
    # tokens, and keys and values of what they begin with, which every row is given.
    "steps": 1.3, "rows": 0.24, "kv": 3.4, "logits": 60.0, "prefill": 4.6, "heads": 9.0,
    # Of training: passes, tokens, places of logits, the optimizer, checkpoints.
    "passes lora": 0.85, "passes full": 0.9, "tokens lora": 2.2, "tokens full": 1.55,
    "targets": 0.15, "optimizer": 2.8, "saving": 1.1,
    # Weights that are read; COMET's encoder.
    "weights": 1.5, "comet": 0.85,
    # In pieces of Python: what comes before the first batch, and before a run's model translates.
    "starting lora": 70.0, "starting full": 48.0, "loading lora": 14.0, "loading full": 15.0,
    "preparing": 9.5, "loading": 132.0, "scoring": 20.5, "scored": 0.085,
}  # fmt: skip

_FP32: Mapping[str, float] = {
    "steps": 1.07, "rows": 0.28, "kv": 2.7, "logits": 48.0, "prefill": 3.4, "heads": 8.0,
    "passes lora": 0.51, "passes full": 0.51, "tokens lora": 1.18, "tokens full": 1.18,
    "targets": 0.17, "optimizer": 2.9, "saving": 1.2,
    "weights": 1.9, "comet": 0.85,
    "starting lora": 168.0, "starting full": 23.0, "loading lora": 16.0, "loading full": 9.3,
    "preparing": 9.5, "loading": 151.0, "scoring": 23.0, "scored": 0.04,
}  # fmt: skip

_GPU: Mapping[str, float] = {
    # A step is asked for by Python, layer by layer, while the one before is computed.
    "steps": 3.0, "rows": 0.9, "kv": 2.0, "logits": 10.0, "prefill": 1.2, "heads": 2.0,
    "passes lora": 0.77, "passes full": 0.77, "tokens lora": 0.86, "tokens full": 0.86,
    "targets": 1.0, "optimizer": 1.8, "saving": 1.0,
    "weights": 2000.0, "comet": 0.85,  # weights come from the disk
    "starting lora": 150.0, "starting full": 150.0, "loading lora": 21.0, "loading full": 16.0,
    "preparing": 9.5, "loading": 140.0, "scoring": 25.0, "scored": 0.065,
}  # fmt: skip

CONSTANTS: Mapping[str, Mapping[str, float]] = {
    "bf16": _BF16,
    "fp32": _FP32,
    "gpu": _GPU,
}
"""How many times as long as at the machine's full rates each cause takes, as real runs took it that
compute in a number format: `python -m benchmarks.forecast_fit`. Those of a GPU are of an H200, of
steps of a model of 7 B (docs/speed.md), by hand."""

_RAMBLING = 1.5
_EACH_MORE = 0.85  # what each device beyond the first adds to one
_SHARED: tuple[Phase, ...] = ("base", "train", "decode")
_COMET_TOKENS, _COMET_LAYERS, _COMET_WIDTH = 120, 24, 1024
"""Of XLM-R large, which COMET's usual models are made of; and the tokens of a segment's texts."""

Terms = dict[str, float]
"""By cause, as in `CONSTANTS`, the seconds that it would take at the machine's full rates."""


def seconds_of(work: Work, base: Answers, own: Answers, machine: Machine) -> dict[Phase, float]:
    """What each phase would take; phases that there is nothing to do in are 0.

    Args:
        work: the run's.
        base: how long the untuned base's answers are.
        own: and the run's own.
        machine: where.
    """
    number = "fp32" if _is_fp32(work.precision, machine) else "bf16"
    constants = CONSTANTS["gpu" if machine.device == "cuda" else number]
    return {
        phase: sum(constants[cause] * seconds for cause, seconds in terms.items())
        for phase, terms in terms_of(work, base, own, machine).items()
    }


def terms_of(work: Work, base: Answers, own: Answers, machine: Machine) -> dict[Phase, Terms]:
    """What each phase takes, by cause, in seconds at the machine's full rates.

    Args:
        work: the run's.
        base: how long the untuned base's answers are.
        own: and the run's own.
        machine: where.
    """
    python = machine.python
    found: dict[Phase, Terms] = {
        "prepare": {"preparing": python},
        "load": {"loading": python, "weights": work.shape.parameters / machine.copying},
        "base": _decoding(work.base, base, work, machine),
        "train": {},
        "decode": _decoding(work.own, own, work, machine),
        "score": {"scoring": python, "scored": python * work.segments},
    }
    if work.comet:
        found["score"]["comet"] = _comet(work.comet, machine)
    if work.teaching is not None:
        found["decode"][f"loading {work.teaching.method}"] = python
        found["train"] = _teaching(work.teaching, work, machine)
        for answers, times in ((base, 1), (own, PROBES - 1)):  # the first are the untuned base's
            for cause, seconds in _decoding(work.probes, answers, work, machine).items():
                found["train"][cause] = found["train"].get(cause, 0.0) + times * seconds
    # On a CPU several processes share the cores that one would use.
    share = 1.0 if machine.device == "cpu" else 1 + _EACH_MORE * (work.devices - 1)
    for phase in _SHARED:
        found[phase] = {cause: seconds / share for cause, seconds in found[phase].items()}
    return found


def _comet(segments: int, machine: Machine) -> float:
    """Encoding source, translations and reference of each segment, in fp32."""
    shape = Shape.guessed(layer_size(_COMET_WIDTH) * _COMET_LAYERS)
    pace = machine.pace("read", "fp32", shape)
    return segments * _COMET_TOKENS * shape.layers * pace.token


def _decoding(batches: Iterable[Batches], answers: Answers, work: Work, machine: Machine) -> Terms:
    shape = work.shape
    pace = machine.pace("read", work.precision, shape)
    layer = shape.body / shape.layers
    wide = 4 if _is_fp32(work.precision, machine) else 2
    found: Terms = dict.fromkeys(("steps", "rows", "kv", "logits", "prefill", "heads"), 0.0)
    kv = shape.layers * 2 * shape.kv_width * wide / machine.copying
    for one in batches:
        told = answers.of(one.direction)
        mean = min(one.limit, told.ratio * one.answer)
        # The more answers ramble, the further the longest is from the others.
        longest = max(told.ratio, told.ratio**_RAMBLING) * one.longest
        alone = told.ended**one.sentences
        steps = alone * min(one.limit, longest) + (1 - alone) * one.limit
        tokens = told.ended * mean + (1 - told.ended) * one.limit
        steps, sentences = max(steps, tokens), one.sentences * one.count
        row_steps = sentences * tokens * one.rows
        layers = shape.layers + shape.vocabulary * shape.hidden / layer
        found["steps"] += one.count * steps * layers * pace.layer
        found["rows"] += row_steps * layers * pace.token
        held = one.prompt + one.rows * tokens / 2
        found["kv"] += sentences * tokens * held * kv
        found["logits"] += row_steps * shape.vocabulary * 4 / machine.copying
        found["prefill"] += sentences * (one.prompt - one.head) * shape.layers * pace.token
        found["heads"] += sentences * one.head * kv
    return found


def _teaching(teaching: Teaching, work: Work, machine: Machine) -> Terms:
    shape = work.shape
    pace = machine.pace(teaching.method, work.precision, shape)
    layers = shape.layers * (4 / 3 if teaching.checkpointing else 1.0)
    layer = shape.body / shape.layers
    return {
        f"passes {teaching.method}": teaching.steps * teaching.passes * layers * pace.layer,
        f"tokens {teaching.method}": teaching.tokens * layers * pace.token,
        "targets": teaching.targets * shape.vocabulary * shape.hidden / layer * pace.token
        + teaching.targets * shape.vocabulary * 4 * 6 / machine.copying,
        "optimizer": teaching.steps * teaching.trained * 28 / machine.copying,
        "saving": (teaching.saves * teaching.trained * 12 + teaching.trained * 4) / machine.writing,
        f"starting {teaching.method}": machine.python,
    }


def _is_fp32(precision: str, machine: Machine) -> bool:
    return (machine.precision if precision == "auto" else precision) == "fp32"

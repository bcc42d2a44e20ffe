"""From work and a machine's rates to seconds: what a run would take if nothing else were known.

The constants were fitted to the processor time of real runs, of nano and of random Llamas of 28 M
and 98 M parameters, LoRA, full fine-tuning and few-shot, on two cores without a GPU
(`docs/speed.md`). They say how much of a machine's rates mtlab's own code reaches; where that
changes, finished runs correct it (`mtlab.forecasting.experience`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

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
    """

    ended: float
    ratio: float


_DECODING = {"steps": 3.5, "rows": 1.0, "kv": 10.0, "logits": 8.0, "prefill": 1.0, "merging": 8.0}
_TEACHING = {
    "passes": 1.5, "tokens": 1.7, "targets": 1.7, "optimizer": 3.0, "saving": 0.5, "starting": 90.0
}  # fmt: skip
_PREPARING, _LOADING, _SCORING = 4.0, 230.0, 35.0  # pieces of Python
_SCORING_EACH = 0.08
_IDLE = 0.85  # the pieces above were fitted to runs beside other work; six on idle cores took less
_EACH_MORE = 0.85  # what each device beyond the first adds to one
_SHARED: tuple[Phase, ...] = ("base", "train", "decode")
_COMET_TOKENS, _COMET_LAYERS, _COMET_WIDTH = 120, 24, 1024
"""Of XLM-R large, which COMET's usual models are made of; and the tokens of a segment's texts."""

SEVERAL = tuple(_DECODING)


def seconds_of(work: Work, base: Answers, own: Answers, machine: Machine) -> dict[Phase, float]:
    """What each phase would take; phases that there is nothing to do in are 0.

    Args:
        work: the run's.
        base: how long the untuned base's answers are.
        own: and the run's own.
        machine: where.
    """
    python = machine.python
    found: dict[Phase, float] = {
        "prepare": _PREPARING * python,
        "load": _LOADING * python + 2 * work.shape.parameters / machine.copying,
        "base": _told(decoding_terms(work.base, base, work, machine), _DECODING),
        "train": 0.0,
        "decode": _told(decoding_terms(work.own, own, work, machine), _DECODING),
        "score": python * (_SCORING + _SCORING_EACH * work.segments),
    }
    if work.comet:
        found["score"] += _comet(work.comet, machine)
    if work.teaching is not None:
        probes = decoding_terms(work.probes, own, work, machine)
        first = decoding_terms(work.probes, base, work, machine)
        for terms in (probes, first):
            terms["merging"] = 0.0
        found["train"] = (
            _told(teaching_terms(work.teaching, work, machine), _TEACHING)
            + _told(first, _DECODING)
            + (PROBES - 1) * _told(probes, _DECODING)
        )
    # On a CPU several processes share the cores that one would use.
    share = 1.0 if machine.device == "cpu" else 1 + _EACH_MORE * (work.devices - 1)
    for phase in _SHARED:
        found[phase] /= share
    return {phase: _IDLE * value for phase, value in found.items()}


def _told(terms: Mapping[str, float], weights: Mapping[str, float]) -> float:
    return sum(weights[name] * value for name, value in terms.items())


def _comet(segments: int, machine: Machine) -> float:
    """Encoding source, translations and reference of each segment, in fp32."""
    shape = Shape.guessed(layer_size(_COMET_WIDTH) * _COMET_LAYERS)
    pace = machine.pace("read", "fp32", shape)
    return segments * _COMET_TOKENS * shape.layers * pace.token


def decoding_terms(
    batches: Iterable[Batches], answers: Answers, work: Work, machine: Machine
) -> dict[str, float]:
    """What translating takes, by cause, in seconds at the machine's full rates."""
    shape = work.shape
    pace = machine.pace("read", work.precision, shape)
    layer = shape.body / shape.layers
    wide = 4 if _is_fp32(work.precision, machine) else 2
    found = dict.fromkeys(SEVERAL, 0.0)
    for one in batches:
        mean = min(one.limit, answers.ratio * one.answer)
        alone = answers.ended**one.sentences
        steps = alone * min(one.limit, answers.ratio * one.longest) + (1 - alone) * one.limit
        tokens = answers.ended * mean + (1 - answers.ended) * one.limit
        steps, sentences = max(steps, tokens), one.sentences * one.count
        row_steps = sentences * tokens * one.rows
        layers = shape.layers + shape.vocabulary * shape.hidden / layer
        found["steps"] += one.count * steps * layers * pace.layer
        found["rows"] += row_steps * layers * pace.token
        held = one.prompt + one.rows * tokens / 2
        kv = shape.layers * 2 * shape.kv_width * wide
        found["kv"] += sentences * tokens * held * kv / machine.copying
        found["logits"] += row_steps * shape.vocabulary * 4 / machine.copying
        found["prefill"] += sentences * one.prompt * shape.layers * pace.token
    if found["rows"] and work.teaching is not None:
        found["merging"] = machine.python * (5 if work.teaching.method == "lora" else 1)
    return found


TEACHING = tuple(_TEACHING)


def teaching_terms(teaching: Teaching, work: Work, machine: Machine) -> dict[str, float]:
    """What training takes, by cause, in seconds at the machine's full rates."""
    shape = work.shape
    pace = machine.pace(teaching.method, work.precision, shape)
    again = 4 / 3 if teaching.checkpointing else 1.0
    layer = shape.body / shape.layers
    return {
        "passes": again * teaching.steps * teaching.passes * shape.layers * pace.layer,
        "tokens": again * teaching.tokens * shape.layers * pace.token,
        "targets": teaching.targets * shape.vocabulary * shape.hidden / layer * pace.token
        + teaching.targets * shape.vocabulary * 4 * 6 / machine.copying,
        "optimizer": teaching.steps * teaching.trained * 28 / machine.copying,
        "saving": (teaching.saves * teaching.trained * 12 + teaching.trained * 4) / machine.writing,
        "starting": machine.python,
    }


def _is_fp32(precision: str, machine: Machine) -> bool:
    return (machine.precision if precision == "auto" else precision) == "fp32"

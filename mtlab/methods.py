"""What a run does with its base model: fine-tune it, show it examples, or take it as it is.

`lora` and `full` train. `few-shot` shows an untuned model some translations in its prompt, `none`
shows it nothing: an instruction-tuned model, a translation model, or a file of somebody's outputs.
The last two are the systems that fine-tuned ones are compared with.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mtlab.errors import InputError

FEW_SHOT = "few-shot"
NONE = "none"
UNTRAINED = (FEW_SHOT, NONE)
"""Methods that train nothing."""

MOST_EXAMPLES = 32
"""Examples that a prompt may show at most."""

OUTPUTS = "outputs:"
"""Before a file's name, it makes its lines the hypotheses of a run."""

_OF_TRAINING = (
    "learning_rate", "steps", "batch_size", "accumulation", "gradient_checkpointing", "max_length",
    "checkpoint_steps", "lora_targets",
)  # fmt: skip


def trains(method: str | None) -> bool:
    """Whether a method changes the model; one that is not chosen yet will."""
    return method not in UNTRAINED


def amount(method: str | None, size: int) -> str:
    """How much a run learns from, in words: `32 pairs`, `3 examples shown`, `not trained`."""
    if method == NONE:
        return "not trained"
    things = "pair" if trains(method) else "example"
    number = f"{size:,} {things}" if size == 1 else f"{size:,} {things}s"
    return number if trains(method) else f"{number} shown"


def learns_from(method: str | None, directions: Iterable[object]) -> str:
    """What a run learns from, in words: its directions, `examples shown` or `not trained`."""
    if trains(method):
        return " ".join(map(str, directions))
    return "examples shown" if method == FEW_SHOT else "not trained"


def system_name(method: str | None) -> str:
    """What a run's own translations are called beside the untuned model's."""
    return "fine-tuned" if trains(method) else str(method).replace(NONE, "not trained")


def check_method(spec: Any) -> None:
    """Whether the parts of a spec go with its method.

    Args:
        spec: a `mtlab.spec.RunSpec`, which asks this of itself.

    Raises:
        InputError: something is missing, or asked for that the method has no use for.
    """
    method = spec.training.method
    if trains(method):
        _check_trained(spec)
        return
    if not spec.tested:
        raise InputError(
            "no test direction is given", field="test", fix="name at least one, like de-en"
        )
    for name in _OF_TRAINING:
        if getattr(spec.training, name) is not None:
            raise _of_no_use(f"training.{name}", method)
    if spec.noise.active:
        raise _of_no_use("noise.kind", method)
    if spec.reverse:
        raise _of_no_use("reverse", method)
    if method == NONE:
        return
    if not 1 <= spec.size <= MOST_EXAMPLES:
        raise InputError(
            f"{spec.size:,} examples cannot be shown",
            field="size",
            fix=f"give 1 to {MOST_EXAMPLES} for the method {FEW_SHOT}",
        )
    if spec.template is not None:
        raise InputError(
            f"the method {FEW_SHOT} has a prompt of its own",
            field="template",
            fix="leave the template out",
        )
    _refuse_what_is_no_model(spec)


def _check_trained(spec: Any) -> None:
    _refuse_what_is_no_model(spec)
    if not spec.train:
        raise InputError("nothing is given", field="train", fix="give 'train'")
    if spec.size < 1:
        raise InputError(f"{spec.size} is out of range", field="size", fix="give 1 or more")


def _refuse_what_is_no_model(spec: Any) -> None:
    """Outputs, and a translation model per direction, are taken as they are or not at all."""
    if spec.base.startswith(OUTPUTS) or "{" in spec.base:
        what = "a file of translations" if spec.base.startswith(OUTPUTS) else "a model a direction"
        raise InputError(
            f"'{spec.base}' is {what}, which can be neither trained nor prompted",
            field="training.method",
            fix=f"choose the method {NONE}",
        )


def _of_no_use(field: str, method: str | None) -> InputError:
    return InputError(
        f"nothing is trained with the method {method}", field=field, fix="leave it out"
    )

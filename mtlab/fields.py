"""The fields of a spec for people: what each is for, its default in words, its choices.

The command line's help and the form in the browser both read them here; the explanations
themselves stand with the fields in `mtlab.spec`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

from mtlab.commands import field_of

# What stands for a field that is left open; `mtlab.defaults` fills most of these in.
_WHEN_OPEN: dict[str, str] = {
    "train": "must be given where something is trained",
    "revision": "the newest",
    "test": "the training directions",
    "test_corpus": "the corpus trained on",
    "test_limit": "all",
    "template": "the lab's own instructions",
    "noise.dictionary": "induced from the corpus",
    "noise.terms": "medicine, law and accounting",
    "noise.language": "the other side, untranslated",
    "training.method": "by base",
    "training.learning_rate": "by base and method",
    "training.steps": "by base, method and size",
    "training.batch_size": "by base",
    "training.accumulation": "by base and batch size",
    "training.gradient_checkpointing": "where memory asks for it",
    "training.max_length": "by base",
    "training.checkpoint_steps": "a fifth of the steps, at least 10",
    "training.lora_targets": "by the base's architecture",
    "decoding.max_new_tokens": "256; for nano 128",
    "decoding.token_budget": "by base and machine, less where memory is short",
}


def explanation(path: str) -> str:
    """What a field such as `noise.ratio` is for, in a clause."""
    return str(field_of(path).description)


def default_in_words(path: str) -> str:
    """What counts when the field is left out: `linear`, `no`, `by base and method`."""
    if path in _WHEN_OPEN:
        return _WHEN_OPEN[path]
    value = field_of(path).default
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def explained(path: str) -> str:
    """The explanation with the default behind it."""
    return f"{explanation(path)} (default: {default_in_words(path)})"


def choices_of(path: str) -> tuple[str, ...]:
    """The words that a field takes; () where it takes anything of its type."""
    return tuple(part for part in types_of(path) if isinstance(part, str))


def types_of(path: str) -> tuple[Any, ...]:
    """A field's type and everything inside it: `tuple[Literal["a"], ...] | None` gives tuple, "a",
    None and the rest.
    """
    return tuple(_inside(field_of(path).annotation))


def _inside(annotation: Any) -> Iterator[Any]:
    yield annotation
    for part in get_args(annotation):
        yield from _inside(part)

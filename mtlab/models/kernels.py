"""Liger's fused kernels in place of a model's own layers, for a while.

They are for computing in 16 bits on a CUDA device, where the package `liger-kernel` is installed:
norms, RoPE and gated MLPs, in few passes over memory. At all other times a model is as it was.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

FAMILIES = frozenset(
    {"gemma2", "gemma3_text", "llama", "mistral", "qwen2", "qwen3", "smollm3"}
)  # those in which Liger replaces nothing but what can be put back afterwards
_LOSSES = {"cross_entropy": False, "fused_linear_cross_entropy": False}
_ABSENT = object()


@dataclass(frozen=True)
class Kernels:
    """What is computed with in place of a model's own layers.

    Attributes:
        names: `lora`, `liger` or `compile`; empty where layers are the model's own.
        changes: what is set for a while: where, under which name, to what.
    """

    names: tuple[str, ...] = ()
    changes: tuple[tuple[dict[str, Any], str, Any], ...] = ()

    def __add__(self, other: Kernels) -> Kernels:
        """Both at once."""
        return Kernels(self.names + other.names, self.changes + other.changes)

    @property
    def compiles(self) -> bool:
        """Whether something is compiled when it is first called."""
        return "compile" in self.names

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Set the changes; afterwards all is as before."""
        if not self.changes:
            yield
            return
        before = [(names, key, names.get(key, _ABSENT)) for names, key, _ in self.changes]
        try:
            for names, key, value in self.changes:
                names[key] = value
            with _forgiving() if self.compiles else nullcontext():
                yield
        finally:
            _put_back(before)


def liger_for(model: Any) -> Kernels:
    """Liger's kernels for a model that computes in 16 bits on CUDA; none where there are none.

    Its fused losses are left out: they spare the logits of a whole batch, of which only those of
    target tokens are made here (`training.order.Collator`, `training.batching.Flattener`).

    Args:
        model: of transformers; it is left as it is. Adapters may come into it afterwards.
    """
    from transformers.utils import is_liger_kernel_available

    if model.config.model_type not in FAMILIES or not is_liger_kernel_available():
        return Kernels()
    return _liger(model)


def _liger(model: Any) -> Kernels:
    """Liger patches a model's modules and the module of transformers that defines them, for good:
    what it changed is found, and taken back.
    """
    from transformers.integrations.liger import apply_liger_kernel

    places: list[dict[str, Any]] = [vars(sys.modules[type(model).__module__])]
    places += [vars(module) for module in model.modules()]
    before = [dict(names) for names in places]
    try:
        apply_liger_kernel(model, _LOSSES)
    except Exception:  # noqa: BLE001 - of another version than it was written to: do without
        return Kernels()
    finally:
        changed = [
            (names, key, value, old.get(key, _ABSENT))
            for names, old in zip(places, before, strict=True)
            for key, value in names.items()
            if old.get(key, _ABSENT) is not value
        ]
        _put_back([(names, key, old) for names, key, _, old in changed])
    changes = tuple((names, key, value) for names, key, value, _ in changed)
    return Kernels(("liger",), changes) if changes else Kernels()


def _forgiving() -> AbstractContextManager[None]:
    """What cannot be compiled goes on as it is."""
    import torch._dynamo

    forgiving: AbstractContextManager[None] = torch._dynamo.config.patch(suppress_errors=True)
    return forgiving


def _put_back(before: list[tuple[dict[str, Any], str, Any]]) -> None:
    for names, key, value in before:
        if value is _ABSENT:
            names.pop(key, None)
        else:
            names[key] = value

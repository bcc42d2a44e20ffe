"""Whether a run that starts needs the memory of the models kept for translating live."""

from __future__ import annotations

from mtlab.errors import MtlabError
from mtlab.models.facts import look
from mtlab.models.memory import estimate
from mtlab.models.room import free_main_memory
from mtlab.presets import resolve_base
from mtlab.settings import Settings
from mtlab.spec import RunSpec

MARGIN = 1.5
"""Without its texts, or its shape, a run's memory is known roughly."""

_BYTES = {"full": 20, "lora": 8}  # per parameter, roughly, where no more is known of a model


def must_make_way(spec: RunSpec, device: str, settings: Settings) -> bool:
    """Whether the models of this process must go before a run starts.

    Args:
        spec: the run's.
        device: what it was given; a GPU is never shared with it, the machine's memory is, where
            there is enough for both.
        settings: the lab's.
    """
    if device != "cpu":
        return True
    free = free_main_memory()
    try:
        base = resolve_base(spec.base, settings)
        if base.path is not None:
            need = estimate(look(base, settings).shape, spec.training, free, "main memory").total
        elif base.parameters is not None:
            need = base.parameters * _BYTES.get(spec.training.method or "lora", 4) + 10**9
        else:
            return True
    except MtlabError:
        return True  # a base that is gone: the run will say so
    return free < MARGIN * need

"""Which runs wait for a GPU that is lent, and what it holds: on a ZeroGPU Space those of the hub's
models.
"""

from __future__ import annotations

from collections.abc import Mapping

from mtlab.methods import OUTPUTS
from mtlab.presets import RUN, resolve_base
from mtlab.runs.devices import LENT
from mtlab.runs.files import read_json
from mtlab.settings import Settings


def lent_to(base: str, settings: Settings, others: Mapping[str, str]) -> str | None:
    """The lent device, where a run on a base needs one; None elsewhere.

    What is bundled runs without one, and so does what goes on from it.

    Args:
        base: as the spec names it.
        settings: the lab's.
        others: the bases of runs that are not written down yet, by id.
    """
    if not settings.lent_seconds or base.startswith(OUTPUTS):
        return None
    while base.startswith(RUN):
        run = base.removeprefix(RUN).strip()
        spec = read_json(settings.runs / run / "spec.json") or {}
        base = others.get(run) or str(spec.get("base") or "nano")
    return LENT if resolve_base(base, settings).repo is not None else None


def lent_room(base: str, settings: Settings) -> tuple[int, str] | None:
    """The memory of the GPU that a run on a base is lent; None where it is lent none.

    No process of the app has that GPU to ask: what it holds is assumed, and said to be.

    Returns:
        Bytes, and whose they are, as `mtlab.models.available_memory`.
    """
    if lent_to(base, settings, {}) is None:
        return None
    said = f"ZeroGPU's {settings.lent_size}, assumed to have {settings.lent_gb} GB"
    return settings.lent_gb * 10**9, said

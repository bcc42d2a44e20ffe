"""One base model in memory, for itself and for every run that LoRA made from it."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from typing import Any, NamedTuple

from mtlab.models.load import Loaded, quiet, refuse_pickled_adapter
from mtlab.models.room import weights_bytes

MOST_ADAPTERS = 8
"""Adapters kept beside one base; the least recently used is given up first."""


class Adapter(NamedTuple):
    """A saved adapter; `written` tells it from an older one in the same place."""

    folder: Path
    written: int

    @classmethod
    def at(cls, folder: Path) -> Adapter:
        """The one that lies there now."""
        return cls(folder, folder.stat().st_mtime_ns)


class SharedBase:
    """A base whose adapters are switched: they share its weights, and none is merged in.

    `mtlab.models.load_run` merges its adapter instead. Both compute the same up to rounding: in
    fp32 the hypotheses agree; in bf16, where merging rounds the weights once more, now and then a
    word differs.

    Not safe to use from two threads at once.

    Args:
        loaded: the untouched base; its model's layers are wrapped in place.
        most: adapters kept.
    """

    def __init__(self, loaded: Loaded, most: int = MOST_ADAPTERS) -> None:
        self._loaded = loaded
        self._most = most
        self._tuned: Any = None
        self._names: OrderedDict[Adapter, str] = OrderedDict()
        self._made = 0
        self._current: Adapter | None = None

    @property
    def adapters(self) -> int:
        """How many are in memory."""
        return len(self._names)

    @property
    def bytes(self) -> int:
        """What its weights and those of its adapters take."""
        return weights_bytes(self._loaded.model)

    def switched(self, adapter: Adapter | None) -> Loaded:
        """The model as that adapter makes it, or the base as it is; good until the next switch."""
        if adapter is not None and adapter not in self._names:
            self._add(adapter)
        if adapter != self._current:
            if adapter is None:
                self._tuned.base_model.disable_adapter_layers()
            else:
                self._tuned.base_model.enable_adapter_layers()
                self._tuned.set_adapter(self._names[adapter], inference_mode=True)
            self._current = adapter
        if adapter is not None:
            self._names.move_to_end(adapter)
        return self._loaded

    def _add(self, adapter: Adapter) -> None:
        from peft import PeftModel

        refuse_pickled_adapter(adapter.folder)
        self._made += 1
        name = f"adapter{self._made}"
        where = {"adapter_name": name, "torch_device": self._loaded.device}
        with quiet():
            if self._tuned is None:
                folder = str(adapter.folder)
                self._tuned = PeftModel.from_pretrained(self._loaded.model, folder, **where).eval()
            else:
                self._tuned.load_adapter(str(adapter.folder), **where)
                self._tuned.eval()
        self._names[adapter] = name
        self._tuned.base_model.enable_adapter_layers()
        self._tuned.set_adapter(name, inference_mode=True)
        self._current = adapter
        stale = [one for one in self._names if one.folder == adapter.folder and one != adapter]
        others = [one for one in self._names if one not in stale]
        for old in (*stale, *others[: -self._most]):
            self._tuned.delete_adapter(self._names.pop(old))

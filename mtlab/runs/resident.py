"""Models kept in memory for translating live: loaded once, the least used given up first."""

from __future__ import annotations

import gc
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from mtlab.errors import InputError
from mtlab.methods import FEW_SHOT
from mtlab.presets import resolve_base
from mtlab.runs.store import RunRecord
from mtlab.settings import Settings
from mtlab.spec import Decoding, Direction, RunSpec

if TYPE_CHECKING:
    from mtlab.decoding import Hypothesis
    from mtlab.models import Loaded
    from mtlab.runs.systems import TranslationModels

SMALL_PARAMETERS = 100_000_000
"""Models below this size are kept several at a time; of larger ones only the one in use."""

SMALL_KEPT = 4


class Resident:
    """The models of one process, used by one caller at a time.

    Args:
        settings: where bases and runs lie.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._models: OrderedDict[object, Loaded | TranslationModels] = OrderedDict()
        # Not an RLock: a page's generator may be resumed in another thread than it began in.
        self._lock = threading.Lock()

    def translate(
        self, model: str | RunRecord, sources: Sequence[str], direction: Direction
    ) -> list[Hypothesis]:
        """Translate with a base model (its name) or a run's model.

        Raises:
            InputError: no such base, or a run that has saved no model.
            NotAvailable: it does not fit into memory, or the hub cannot be reached.
        """
        from mtlab.decoding import translate

        with self._lock:
            models = self._translation_models(model)
            if models is not None:
                return models.translate(list(sources), direction)
            loaded, template, decoding = self._ready(model, direction)
            return list(translate(loaded, list(sources), direction, decoding, template))

    def stream(self, model: str | RunRecord, source: str, direction: Direction) -> Iterator[str]:
        """Translate one text, yielding what there is so far; raises as `translate`."""
        from mtlab.decoding import stream

        with self._lock:
            models = self._translation_models(model)
            if models is not None:
                yield models.translate([source], direction)[0].text
                return
            loaded, template, decoding = self._ready(model, direction)
            yield from stream(loaded, source, direction, decoding, template)

    def release(self) -> None:
        """Give up every model and the memory it holds."""
        with self._lock:
            self._models.clear()
            _collect()

    def _translation_models(self, model: str | RunRecord) -> TranslationModels | None:
        """Those of a run that takes them as they are; None for any other."""
        from mtlab.runs.systems import TranslationModels, kind_of

        if isinstance(model, str) or model.spec.training.trains:
            return None
        kind = kind_of(model.spec, self._settings)
        if kind == "outputs":
            raise InputError(
                f"the run '{model.id}' is a file of outputs and translates nothing new",
                field="model",
                fix="choose a run with a model",
            )
        if kind != "translation model":
            return None
        found = self._models.pop(model.id, None)
        if not isinstance(found, TranslationModels):
            self._make_room(0)
            found = TranslationModels(model.spec, self._settings)
        self._models[model.id] = found
        return found

    def _ready(self, model: str | RunRecord, direction: Direction) -> tuple[Loaded, Any, Decoding]:
        from mtlab.defaults import complete
        from mtlab.prompts import Template
        from mtlab.runs.systems import shown_template

        spec = model.spec if isinstance(model, RunRecord) else _spec_of_base(model)
        spec = complete(spec, resolve_base(spec.base, self._settings))
        shown = None
        if isinstance(model, RunRecord) and spec.training.method == FEW_SHOT:
            shown = shown_template(model.folder, direction)
        loaded = self._loaded(model, spec)
        if shown is not None:
            return loaded, shown, spec.decoding
        return loaded, Template.from_spec(spec, loaded.tokenizer), spec.decoding

    def _loaded(self, model: str | RunRecord, spec: RunSpec) -> Loaded:
        from mtlab.models import Loaded, load, load_run, set_threads

        key = _key(model)
        found = self._models.pop(key, None)
        if not isinstance(found, Loaded):
            set_threads(self._settings)
            base = resolve_base(spec.base, self._settings)
            small = base.parameters is not None and base.parameters < SMALL_PARAMETERS
            self._make_room(SMALL_KEPT - 1 if small else 0)
            if isinstance(model, RunRecord) and spec.training.trains:
                found = load_run(model.folder, spec, self._settings)
            else:
                training = spec.training
                found = load(
                    base,
                    precision=training.precision,
                    revision=spec.revision,
                    settings=self._settings,
                )
        self._models[key] = found
        return found

    def _make_room(self, keep: int) -> None:
        dropped = False
        while len(self._models) > keep:
            self._models.popitem(last=False)
            dropped = True
        if dropped:
            _collect()


def _key(model: str | RunRecord) -> object:
    """A name that changes when a run's saved model does."""
    if isinstance(model, str):
        return model
    marks = []
    for name in ("model", "adapter"):
        folder = model.folder / name
        if folder.is_dir():
            marks.append((name, folder.stat().st_mtime_ns))
    return (model.id, *marks)


def _spec_of_base(name: str) -> RunSpec:
    """A spec that says nothing but the base, for what decoding needs of one."""
    return RunSpec(base=name, train=(Direction.parse("de-en"),))


def _collect() -> None:
    gc.collect()
    import torch

    if torch.cuda.is_available():
        torch.cuda.empty_cache()

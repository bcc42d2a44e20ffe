"""Models kept in memory for translating live: loaded once, the least used given up first.

A base is held once for itself and all runs that LoRA made from it (`mtlab.models.SharedBase`); a
run of full fine-tuning has a model of its own. Together they stay within `MTLAB_RESIDENT_MB`.
"""

from __future__ import annotations

import ctypes
import gc
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mtlab.errors import InputError
from mtlab.methods import FEW_SHOT
from mtlab.presets import Base, resolve_base
from mtlab.runs.answering import Asked, Kept, Prompted
from mtlab.runs.store import RunRecord
from mtlab.settings import Settings
from mtlab.spec import Direction, RunSpec
from mtlab.weights import folder_parameters

if TYPE_CHECKING:
    from mtlab.decoding import Hypothesis
    from mtlab.models import Adapter, Precision, SharedBase
    from mtlab.runs.systems import TranslationModels

_MB = 1_000_000


@dataclass(frozen=True)
class KeptModels:
    """What is in memory for translating live.

    Attributes:
        names: of the models, the one used last at the end.
        bytes: what they take.
        bound: what they may take.
        given_up_for: the run that wanted the memory of those there were; None if none did, or if
            one was loaded since.
    """

    names: tuple[str, ...] = ()
    bytes: int = 0
    bound: int = 0
    given_up_for: str | None = None

    def sentence(self) -> str:
        """For people."""
        if self.given_up_for:
            return (
                f"The models were given up for run {self.given_up_for}; the next translation "
                "loads them again."
            )
        if not self.names:
            return "No model is in memory; the first translation loads it."
        return (
            f"In memory: {', '.join(self.names)} "
            f"({self.bytes / _MB:,.0f} of {self.bound / _MB:,.0f} MB)."
        )


@dataclass(frozen=True)
class _Origin:
    """Where a model comes from.

    Attributes:
        key: tells it from every other, and from itself after it was saved anew.
        name: for people.
        bytes: what it will take; None where that is not known beforehand.
        load: loads it.
    """

    key: tuple[object, ...]
    name: str
    bytes: int | None
    load: Callable[[], SharedBase | TranslationModels]


class Resident:
    """The models of one process. Any number of threads may use it.

    Args:
        settings: where bases and runs lie, and how much memory may be taken.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._bound = settings.resident_mb * _MB
        self._shelf: OrderedDict[tuple[object, ...], Kept[Any]] = OrderedDict()
        self._guard = threading.Lock()  # of the shelf; never held while a model loads or computes
        self._loading = threading.Lock()
        self._releases = 0
        self.given_up_for: str | None = None
        """The run for which the models were given up; None when one was loaded since."""

    def translate(
        self, model: str | RunRecord, sources: Sequence[str], direction: Direction
    ) -> list[Hypothesis]:
        """Translate with a base model (its name) or a run's model.

        Raises:
            InputError: no such base, or a run that has saved no model.
            NotAvailable: it does not fit into memory, or the hub cannot be reached.
        """
        releases = self._releases
        ready = self._ready(model, direction)
        try:
            return ready.translate(sources, direction)
        finally:
            del ready
            self._settle(releases)

    def stream(
        self, model: str | RunRecord, source: str, direction: Direction
    ) -> Iterator[Hypothesis]:
        """Translate one text, yielding drafts of it and at last the answer; raises as `translate`.

        The model is loaded before this returns.
        """
        releases = self._releases
        return self._drafts(self._ready(model, direction), source, direction, releases)

    def kept(self) -> KeptModels:
        """What is in memory now."""
        with self._guard:
            names = tuple(kept.described() for kept in self._shelf.values())
            taken = sum(kept.bytes for kept in self._shelf.values())
            return KeptModels(names, taken, self._bound, self.given_up_for)

    def release(self, for_run: str | None = None) -> None:
        """Give up every model and the memory it holds; returns at once.

        One that is translating is given up as soon as that is done.

        Args:
            for_run: the run that needs the memory, to be named to people.
        """
        with self._guard:
            self._releases += 1
            if self._shelf and for_run is not None:
                self.given_up_for = for_run
            self._shelf.clear()
        _collect()

    def _drafts(
        self, ready: Prompted | Asked, source: str, direction: Direction, releases: int
    ) -> Iterator[Hypothesis]:
        try:
            yield from ready.drafts(source, direction)
        finally:
            del ready
            self._settle(releases)

    def _ready(self, model: str | RunRecord, direction: Direction) -> Prompted | Asked:
        """What translates with a model, in memory."""
        from mtlab.defaults import complete
        from mtlab.models import set_threads
        from mtlab.prompts import Template
        from mtlab.runs.systems import TranslationModels, kind_of, shown_template

        set_threads(self._settings)
        run = model if isinstance(model, RunRecord) else None
        spec = run.spec if run else _spec_of_base(str(model))
        if run is not None and not spec.training.trains:
            kind = kind_of(spec, self._settings)
            if kind == "outputs":
                raise InputError(
                    f"the run '{run.id}' is a file of outputs and translates nothing new",
                    field="model",
                    fix="choose a run with a model",
                )
            if kind == "translation model":
                load = lambda: TranslationModels(spec, self._settings)  # noqa: E731
                return Asked(self._kept(_Origin((run.id,), run.name, None, load)))
        spec = complete(spec, resolve_base(spec.base, self._settings))
        shown = None
        if run is not None and spec.training.method == FEW_SHOT:
            shown = shown_template(run.folder, direction)
        origin, adapter = self._origin(run, spec)
        kept = self._kept(origin)
        with kept.turn() as base:
            tokenizer = base.switched(adapter).tokenizer
        template = shown or Template.from_spec(spec, tokenizer)
        # Adapters are switched here, not merged, and drafts shown: the lab's own search alone can.
        return Prompted(kept, adapter, template, spec.decoding.by_transformers())

    def _origin(self, run: RunRecord | None, spec: RunSpec) -> tuple[_Origin, Adapter | None]:
        """The weights a model is made of, and its adapter, if it has one."""
        from mtlab.models import Adapter, SharedBase, load_run, saved_model

        settings, adapter = self._settings, None
        if run is not None and spec.training.trains:
            saved = saved_model(run.folder)
            if saved.name == "model":
                key = ("run", run.id, saved.stat().st_mtime_ns)
                size = _bytes(folder_parameters(saved), spec)
                load = lambda: SharedBase(load_run(run.folder, spec, settings))  # noqa: E731
                return _Origin(key, run.name, size, load), None
            adapter = Adapter.at(saved)
        return self._base_origin(resolve_base(spec.base, settings), spec), adapter

    def _base_origin(self, base: Base, spec: RunSpec) -> _Origin:
        from mtlab.models import Adapter, SharedBase, inspect, load

        settings, revision = self._settings, spec.revision or base.revision
        precision = _format(spec)
        merged = tuple(map(Adapter.at, base.adapters))
        written = base.path.stat().st_mtime_ns if base.path else None
        key = (base.location, revision, precision, merged, written)
        parameters = base.parameters or inspect(base, settings, revision).parameters

        def loaded() -> SharedBase:
            return SharedBase(load(base, precision=precision, revision=revision, settings=settings))

        return _Origin(key, base.title, _bytes(parameters, spec), loaded)

    def _kept(self, origin: _Origin) -> Kept[Any]:
        """The model, loaded if it is not there, with the least used given up for it."""
        found = self._found(origin)
        if found is not None:
            return found
        with self._loading:
            found = self._found(origin)
            if found is not None:
                return found
            releases = self._releases
            self._make_room(self._bound if origin.bytes is None else origin.bytes)
            kept = Kept(origin.name, origin.load())
            with self._guard:
                # Memory asked back while it was loading is not taken for longer than is needed.
                if releases == self._releases:
                    self._shelf[origin.key] = kept
                    self.given_up_for = None
            return kept

    def _found(self, origin: _Origin) -> Kept[Any] | None:
        with self._guard:
            if origin.key in self._shelf:
                self._shelf.move_to_end(origin.key)
            return self._shelf.get(origin.key)

    def _settle(self, releases: int) -> None:
        """After a translation: keep to the bound, now that sizes are known, and give the memory
        back of what was released while it translated.
        """
        self._make_room(0, keep=1)
        if releases != self._releases:
            _collect()

    def _make_room(self, needed: int, keep: int = 0) -> None:
        """Give up the least recently used until so many bytes more fit into the bound."""
        with self._guard:
            sizes = {key: kept.bytes for key, kept in self._shelf.items()}
            dropped = []
            while len(self._shelf) > keep and sum(sizes.values()) + needed > self._bound:
                key, kept = self._shelf.popitem(last=False)
                dropped.append(kept)
                del sizes[key]
        if dropped:
            del dropped, kept
            _collect()


def _format(spec: RunSpec) -> Precision:
    """The number format that the spec's weights have on this machine."""
    from mtlab.models import device_name, resolve_precision

    return resolve_precision(spec.training.precision, device_name())


def _bytes(parameters: int | None, spec: RunSpec) -> int | None:
    if parameters is None:
        return None
    return parameters * (4 if _format(spec) == "fp32" else 2)


def _spec_of_base(name: str) -> RunSpec:
    """A spec that says nothing but the base, for what decoding needs of one."""
    return RunSpec(base=name, train=(Direction.parse("de-en"),))


def _collect() -> None:
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:  # glibc keeps what is freed for itself otherwise
        trim(0)

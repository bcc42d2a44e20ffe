"""Translators for noise: a finished run, a base model, or a translation model of the hub.

A noise kind knows only that something translates (`mtlab.noise.Translator`); here a name becomes
that something. Nothing is loaded before a text must be translated that was not translated before.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import mtlab
from mtlab.errors import InputError, NotAvailable
from mtlab.models import TranslationModel
from mtlab.models.facts import look
from mtlab.presets import BASES, Base, resolve_base
from mtlab.runs.needs import ID
from mtlab.runs.provenance import digest, model_digest, versions
from mtlab.runs.resident import Resident
from mtlab.runs.store import RunRecord, RunStore
from mtlab.settings import Settings
from mtlab.spec import Decoding, Direction, RunSpec

if TYPE_CHECKING:
    from mtlab.corpora import Draw
    from mtlab.models import LoadedTranslationModel

FIELD = "noise.translator"
VERSION = 2
"""Raised when the way of translating changes, so that older translations are left alone."""


class ModelTranslator:
    """A run's model or a base model, prompted as in the Translate tab.

    Args:
        model: the run, or the base's name.
        resident: who loads it and keeps it.
        settings: the lab's.
    """

    def __init__(self, model: str | RunRecord, resident: Resident, settings: Settings) -> None:
        self._model = model
        self._resident = resident
        self._settings = settings
        self._identity: str | None = None

    def check(self, directions: Sequence[Direction]) -> None:
        """Whether it can be loaded at all.

        Raises:
            InputError: the run has saved no model.
            NotAvailable: a base is not on this machine and the hub cannot be reached.
        """
        self.identity(directions[0])

    def identity(self, direction: Direction) -> str:
        """A word for the weights, the prompt and how it is decoded; the same in each direction."""
        if self._identity is None:
            from mtlab.defaults import complete

            run = self._model if isinstance(self._model, RunRecord) else None
            spec = run.spec if run else RunSpec(base=str(self._model), train=(direction,))
            base = resolve_base(spec.base, self._settings)
            spec = complete(spec, base)
            commit = look(base, self._settings, spec.revision).commit or spec.revision
            self._identity = digest(
                {
                    "version": VERSION,
                    "base": model_digest(base, commit),
                    "tuned": _tuned_digest(run) if run else None,
                    "template": spec.template,
                    "decoding": spec.decoding.by_transformers().deciding(),
                    **_software(),
                }
            )
        return self._identity

    def translate(self, texts: Sequence[str], direction: Direction) -> list[str]:
        """One translation each; raises as `Resident.translate`."""
        return [one.text for one in self._resident.translate(self._model, texts, direction)]

    def release(self) -> None:
        """Give the model's memory back."""
        self._resident.release()


class HubTranslator:
    """A translation model of the hub or a folder; where its name holds languages, several.

    Args:
        name: as `TranslationModel.named` takes it.
        settings: the lab's.
        fetch: whether a model that is not on this machine may be fetched.
    """

    def __init__(self, name: str, settings: Settings, *, fetch: bool = True) -> None:
        self._name = name
        self._settings = settings
        self._fetch = fetch
        self._held: tuple[TranslationModel, LoadedTranslationModel] | None = None

    def check(self, directions: Sequence[Direction]) -> None:
        """Whether there is a model for each direction, as far as that shows before it is loaded.

        Raises:
            InputError: there is none, or it cannot be used.
            NotAvailable: the hub cannot be reached for it.
        """
        for direction in directions:
            self._named(direction).facts(self._settings, direction)

    def identity(self, direction: Direction) -> str:
        """A word for the model of a direction, and for how it is decoded.

        Raises:
            NotAvailable: it is not on this machine, and is not to be fetched now.
        """
        named = self._named(direction)
        facts = named.facts(self._settings, direction)
        commit = facts.commit
        if named.base.path is None and commit is None:
            commit = self._loaded(named).commit
        return digest(
            {
                "version": VERSION,
                "model": model_digest(named.base, commit),
                "decoding": Decoding().deciding(),
                **_software(),
            }
        )

    def translate(self, texts: Sequence[str], direction: Direction) -> list[str]:
        """One translation each.

        Raises:
            InputError: the model does not know the direction, or cannot be used.
            NotAvailable: it does not fit into memory, or cannot be fetched now.
        """
        from mtlab.decoding import translate_seq2seq

        loaded = self._loaded(self._named(direction))
        return [one.text for one in translate_seq2seq(loaded, texts, direction)]

    def release(self) -> None:
        """Give the model's memory back."""
        self._held = None

    def _named(self, direction: Direction) -> TranslationModel:
        return TranslationModel.named(self._name, direction, self._settings)

    def _loaded(self, named: TranslationModel) -> LoadedTranslationModel:
        from mtlab.models import load_translation_model, set_threads

        if self._held is None or self._held[0] != named:
            facts = named.facts(self._settings)
            if named.base.path is None and facts.commit is None and not self._fetch:
                raise NotAvailable(
                    f"'{named.base.name}' is not on this machine yet",
                    fix="launch the run, which fetches it, or choose a run as translator",
                )
            self._held = None  # its memory first
            set_threads(self._settings)
            self._held = (named, load_translation_model(named, self._settings))
        return self._held[1]


def translator_for(
    spec: RunSpec, store: RunStore, resident: Resident, *, fetch: bool = True
) -> ModelTranslator | HubTranslator | None:
    """The translator a spec's noise names; None where it names none or needs none.

    Args:
        spec: with the name as a person gives it, or as `settled` leaves it.
        store: where runs are found.
        resident: who loads runs and bases.
        fetch: whether a translation model may be fetched from the hub.

    Raises:
        InputError: there is no such run or model.
        NotAvailable: the hub cannot be reached for it.
    """
    name = spec.noise.translator
    if name is None or not spec.noise.active:
        return None
    settings = store.settings
    found = _own_model(name, store)
    if found is not None:
        return ModelTranslator(found, resident, settings)
    if "{" in name or "@" in name:
        return HubTranslator(name, settings, fetch=fetch)
    try:
        base = resolve_base(name, settings)
        facts = look(base, settings)
    except InputError as error:
        raise InputError(error.what, field=FIELD, why=error.why, fix=error.fix) from None
    if facts.is_causal:
        return ModelTranslator(base.name, resident, settings)
    return HubTranslator(name, settings, fetch=fetch)


def check_noise(
    spec: RunSpec, drawn: Draw, store: RunStore, resident: Resident
) -> ModelTranslator | HubTranslator | None:
    """Say what a spec's noise would stumble over; its translator, if any, which fetches nothing.

    Args:
        spec: as `settled` leaves it.
        drawn: the pairs it would train on.
        store: where runs are found.
        resident: who loads runs and bases.

    Raises:
        InputError: something the kind of noise needs was not given or is not there.
        NotAvailable: something it needs lies where this machine cannot reach.
    """
    from mtlab.corpora import corpora_for
    from mtlab.noise import check, needed_directions

    noise, settings = spec.noise, store.settings
    translator = translator_for(spec, store, resident, fetch=False)
    corpus = corpora_for(spec, settings).train
    directions = tuple(dict.fromkeys(pair.direction for pair in drawn.pairs))
    check(
        directions,
        noise,
        spec.seed,
        corpus,
        settings,
        order=drawn.order,
        translator=translator,
    )
    if translator is not None:
        translator.check(needed_directions(noise, directions))
    return translator


def settled(spec: RunSpec, store: RunStore) -> RunSpec:
    """The spec with a run as translator named by its whole id, so that `latest` cannot move.

    Raises:
        InputError: no run's id begins so, or none has finished.
    """
    name = spec.noise.translator
    if name is None or not spec.noise.active or ID.fullmatch(name):
        return spec
    found = _own_model(name, store)
    return spec.with_changes(noise__translator=found.id) if isinstance(found, RunRecord) else spec


def latest_finished(store: RunStore, field: str = "model") -> RunRecord:
    """The newest run that has finished.

    Raises:
        InputError: none has.
    """
    for record in store.list():
        if store.status(record.id).state == "finished":
            return record
    raise InputError(
        "no run has finished yet", field=field, fix="start one, or name a base such as nano"
    )


def _own_model(name: str, store: RunStore) -> str | RunRecord | None:
    """The run or the base that a name means; None for a model of the hub or a folder."""
    name = name.strip().removeprefix("run:")
    if name == "latest":
        return latest_finished(store, FIELD)
    if name.lower() in BASES:
        return name.lower()
    if name.startswith("base:"):
        return name.removeprefix("base:")
    if "/" in name or Path(name).expanduser().is_dir():
        return None
    try:
        return store.get(name)
    except InputError as error:
        raise InputError(
            error.what,
            field=FIELD,
            why=error.why,
            fix="give a finished run's id, latest, base:NAME, or a translation model of the hub "
            "such as facebook/nllb-200-distilled-600M",
        ) from None


def _tuned_digest(run: RunRecord) -> str:
    for name, mark in (("model", "config.json"), ("adapter", "adapter_config.json")):
        folder = run.folder / name
        if (folder / mark).is_file():
            return model_digest(Base(name=run.id, title=run.id, path=folder), None)
    if not run.spec.training.trains:
        raise InputError(
            f"the run '{run.id}' trained no model",
            field=FIELD,
            fix="choose a run that did, base:NAME or a translation model",
        )
    raise InputError(
        f"the run '{run.id}' has saved no model",
        field=FIELD,
        fix="wait until it has finished, or choose another",
    )


def _software() -> dict[str, object]:
    found = versions()
    return {
        "mtlab": mtlab.__version__,
        "versions": [found.get("torch"), found.get("transformers")],
    }

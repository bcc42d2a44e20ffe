"""What a run that trains nothing translates with: its base as it is, prompted or not.

prompted            a causal language model, with a template or with examples before the source
translation model   NLLB, M2M-100 or OPUS-MT, of the hub or a folder
outputs             a file with a hypothesis a line, `outputs:FILE`
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from mtlab.backends import refuse_backend
from mtlab.corpora import Pair, corpora_for
from mtlab.corpora.sampling import by_direction
from mtlab.errors import InputError
from mtlab.fewshot import FewShot
from mtlab.methods import FEW_SHOT, OUTPUTS
from mtlab.models import Spread, TranslationModel, check_fits, inspect, weights_bytes
from mtlab.models.facts import look
from mtlab.presets import resolve_base
from mtlab.prompts import CHAT, SOURCE, Template, no_chat_template
from mtlab.runs.base_cache import translation_key
from mtlab.runs.files import read_lines
from mtlab.runs.lending import lent_room
from mtlab.runs.outputs import read_outputs
from mtlab.runs.provenance import digest, model_digest
from mtlab.settings import Settings
from mtlab.spec import Direction, RunSpec

if TYPE_CHECKING:
    from mtlab.decoding import Hypothesis, Kept
    from mtlab.models import LoadedTranslationModel

Kind = Literal["prompted", "translation model", "outputs"]


def kind_of(spec: RunSpec, settings: Settings) -> Kind:
    """What the base of a run that trains nothing is.

    Raises:
        InputError: there is no such model.
        NotAvailable: the hub cannot be reached for it.
    """
    if spec.base.startswith(OUTPUTS):
        return "outputs"
    if "{" in spec.base:
        return "translation model"
    base = resolve_base(spec.base, settings)
    facts = look(base, settings, spec.revision or base.revision)
    can_be_asked = facts.is_causal or not facts.is_seq2seq or spec.training.method == FEW_SHOT
    return "prompted" if can_be_asked else "translation model"


def check_system(spec: RunSpec, settings: Settings) -> None:
    """All that can be said about such a run before it starts.

    Args:
        spec: complete, of a method that trains nothing.
        settings: the lab's.

    Raises:
        InputError: it cannot be run: says which field, and what to do.
        NotAvailable: this machine cannot run it now.
    """
    kind = kind_of(spec, settings)
    if kind == "prompted":
        facts = inspect(resolve_base(spec.base, settings), settings, spec.revision)
        if spec.template == CHAT and facts.has_chat_template is False:
            raise no_chat_template(spec.base)
        spread = Spread(spec.devices, spec.strategy)
        room = lent_room(spec.base, settings)
        check_fits(facts, spec.training, settings, spread=spread, room=room)
        return
    if spec.devices > 1:
        raise InputError(
            "translation models and outputs are one process's work",
            field="devices",
            fix="leave it at 1",
        )
    if spec.template is not None:
        raise InputError(
            f"'{spec.base}' is asked without a prompt",
            field="template",
            fix="leave the template out",
        )
    if kind == "translation model":
        refuse_backend(spec.decoding)
    for direction in spec.tested:
        if kind == "outputs":
            read_outputs(spec, direction, len(corpora_for(spec, settings).test.test(direction)))
            continue
        with _of_base():
            facts = named(spec, direction, settings).facts(settings, direction)
        check_fits(facts, spec.training, settings, room=lent_room(spec.base, settings))


def named(spec: RunSpec, direction: Direction, settings: Settings) -> TranslationModel:
    """The translation model that a spec's base names for a direction.

    Raises:
        InputError: it is neither a hub name nor a folder.
    """
    with _of_base():
        found = TranslationModel.named(spec.base, direction, settings)
    return replace(found, revision=spec.revision) if spec.revision else found


def shown_template(folder: Path, direction: Direction) -> FewShot:
    """The prompt of a few-shot run, with the examples that its folder keeps.

    Raises:
        InputError: it shows none for that direction.
    """
    examples = by_direction(
        Pair(Direction.parse(row["direction"]), row["source"], row["target"], row["key"])
        for row in read_lines(folder / "train.jsonl")
    )
    if direction not in examples:
        raise InputError(
            f"the run '{folder.name}' shows no examples for {direction}",
            field="direction",
            fix=f"choose one of {', '.join(map(str, examples)) or 'none: it has not begun'}",
        )
    return FewShot(examples=examples)


@contextmanager
def _of_base() -> Iterator[None]:
    """What is wrong with a translation model is wrong with the base here, not with a translator."""
    try:
        yield
    except InputError as error:
        raise InputError(error.what, field="base", why=error.why, fix=error.fix) from None


class TranslationModels:
    """The translation models of a spec, one in memory at a time.

    Args:
        spec: whose base names them.
        settings: the lab's.
    """

    def __init__(self, spec: RunSpec, settings: Settings) -> None:
        self._spec = spec
        self._settings = settings
        self._held: tuple[TranslationModel, LoadedTranslationModel] | None = None

    @property
    def bytes(self) -> int:
        """What the one in memory takes."""
        return 0 if self._held is None else weights_bytes(self._held[1].model)

    def translate(
        self,
        sources: Sequence[str],
        direction: Direction,
        *,
        on_progress: Callable[[int, int], None] | None = None,
        should_stop: Callable[[], bool] | None = None,
        kept: Kept | None = None,
    ) -> list[Hypothesis]:
        """Translate, as `mtlab.decoding.translate_seq2seq` does, and raise as it does."""
        from mtlab.decoding import translate_seq2seq

        return translate_seq2seq(
            self.loaded(direction),
            sources,
            direction,
            self._spec.decoding,
            on_progress=on_progress,
            should_stop=should_stop,
            kept=kept,
        )

    def key(self, sources: Sequence[str], direction: Direction) -> str:
        """What decides the answers to `sources`: `base_cache.translation_key` without a prompt."""
        loaded = self.loaded(direction)
        model = digest(self.described(direction))
        form = f"{loaded.device} {loaded.model.dtype}"
        bare = Template(SOURCE)
        return translation_key(model, sources, direction, self._spec, bare, form)

    def loaded(self, direction: Direction) -> LoadedTranslationModel:
        """The model of a direction; the one held before is given up.

        Raises:
            InputError: there is none, or it cannot be used.
            NotAvailable: it does not fit into memory, or cannot be fetched now.
        """
        from mtlab.models import load_translation_model, set_threads

        model = named(self._spec, direction, self._settings)
        if self._held is None or self._held[0] != model:
            self._held = None  # its memory first
            set_threads(self._settings)
            precision = self._spec.training.precision
            with _of_base():
                loaded = load_translation_model(model, self._settings, precision=precision)
            self._held = (model, loaded)
        return self._held[1]

    def described(self, direction: Direction) -> dict[str, Any]:
        """The model of a direction for provenance: `{name, revision, digest}`."""
        loaded = self.loaded(direction)
        commit = loaded.commit
        return {
            "name": loaded.base.name,
            "revision": commit,
            "digest": model_digest(loaded.base, commit),
        }

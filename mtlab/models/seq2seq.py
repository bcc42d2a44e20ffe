"""Translation models: an encoder and a decoder, made for nothing else; NLLB, M2M-100 and OPUS-MT.

Safetensors only, no code from the hub. How each is told the languages is in
`mtlab.decoding.seq2seq`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mtlab.errors import InputError, MtlabError, NotAvailable
from mtlab.languages import LANGUAGES
from mtlab.models.device import Precision, device_name, resolve_precision
from mtlab.models.facts import ModelFacts, look, refuse_pickles
from mtlab.models.load import explain_load_error, quiet, read_tokenizer
from mtlab.presets import Base, resolve_base
from mtlab.settings import Settings
from mtlab.spec import Direction

KNOWN_TYPES = ("marian", "m2m_100", "nllb-moe")
FIELD = "translator"

_NAME = re.compile(r"^(?P<name>[^@]+)@(?P<revision>[\w./-]+)$")
_OPUS_DIRECTION = re.compile(r"opus-mt-(?:tc-\w+-)?([A-Za-z_]+)-([A-Za-z_]+)$")
_BY_ALPHA3 = {language.alpha3: code for code, language in LANGUAGES.items()}


@dataclass(frozen=True)
class TranslationModel:
    """A translation model by name.

    Attributes:
        base: where it lies.
        revision: of a hub model; None for the newest.
    """

    base: Base
    revision: str | None = None

    @classmethod
    def named(cls, name: str, direction: Direction, settings: Settings) -> TranslationModel:
        """The model of a name, for a direction.

        Args:
            name: `OWNER/NAME`, `OWNER/NAME@REVISION` or a folder; `{source}` and `{target}` in it
                stand for the two codes, as in `Helsinki-NLP/opus-mt-{source}-{target}`.
            direction: from which language into which.
            settings: the lab's.

        Raises:
            InputError: it is neither a hub name nor a folder.
        """
        name = name.strip().replace("{source}", direction.source)
        name = name.replace("{target}", direction.target)
        found = None if Path(name).expanduser().is_dir() else _NAME.match(name)
        name, revision = (found["name"], found["revision"]) if found else (name, None)
        try:
            return cls(resolve_base(name, settings), revision)
        except InputError as error:
            raise InputError(error.what, field=FIELD, why=error.why, fix=error.fix) from None

    def facts(self, settings: Settings, direction: Direction | None = None) -> ModelFacts:
        """What can be said of it without loading it.

        Raises:
            InputError: it is no translation model this lab can speak to, has pickled weights only,
                or does not translate that direction.
            NotAvailable: the hub cannot be reached for it.
        """
        try:
            facts = look(self.base, settings, self.revision)
        except InputError as error:
            raise InputError(error.what, field=FIELD, why=error.why, fix=error.fix) from None
        if not facts.is_seq2seq or facts.model_type not in KNOWN_TYPES:
            raise InputError(
                f"'{self.base.name}' is a {facts.architecture or 'model of unknown kind'} and no "
                "translation model this lab can speak to",
                field=FIELD,
                fix="name an NLLB, M2M-100 or OPUS-MT model",
            )
        refuse_pickles(facts, self.base, FIELD)
        if direction is not None and facts.model_type == "marian":
            found = _OPUS_DIRECTION.search(self.base.name)
            if found:
                refuse_direction(self.base, found.groups(), direction)
        return facts


@dataclass(frozen=True)
class LoadedTranslationModel:
    """A translation model in memory.

    Attributes:
        model: a transformers sequence-to-sequence model in evaluation mode.
        tokenizer: its tokenizer.
        device: `cpu`, `cuda` or `mps`.
        base: where it came from.
        model_type: its family, such as `marian`.
        commit: the hub's commit; None for a folder.
    """

    model: Any
    tokenizer: Any
    device: str
    base: Base
    model_type: str
    commit: str | None


def load_translation_model(
    named: TranslationModel,
    settings: Settings,
    *,
    precision: Precision = "auto",
    device: str | None = None,
) -> LoadedTranslationModel:
    """Load a translation model, fetching it from the hub if it is not on this machine.

    Raises:
        InputError: it is none, or cannot be loaded safely.
        NotAvailable: gated, the hub cannot be reached, or the memory does not suffice.
    """
    facts = named.facts(settings)
    import torch
    from transformers import AutoModelForSeq2SeqLM

    base = named.base
    device = device or device_name()
    narrow = resolve_precision(precision, device) == "bf16"
    try:
        with quiet():
            model = AutoModelForSeq2SeqLM.from_pretrained(
                base.location,
                revision=named.revision,
                dtype=torch.bfloat16 if narrow else torch.float32,
                use_safetensors=True,
                trust_remote_code=False,
                local_files_only=settings.offline or base.path is not None,
            )
            model = model.to(device).eval()
        tokenizer = read_tokenizer(base, base.location, named.revision, settings)
    except (torch.OutOfMemoryError, MemoryError):
        raise NotAvailable(
            f"'{base.name}' does not fit into the memory of this machine",
            fix="choose a smaller translation model",
        ) from None
    except InputError as error:
        raise InputError(error.what, field=FIELD, why=error.why, fix=error.fix) from None
    except MtlabError:
        raise
    except Exception as error:  # noqa: BLE001 - every failure to load becomes a sentence
        try:
            explain_load_error(error, base)
        except InputError as told:
            raise InputError(told.what, field=FIELD, why=told.why, fix=told.fix) from None
    commit = getattr(model.config, "_commit_hash", None) or facts.commit
    return LoadedTranslationModel(model, tokenizer, device, base, facts.model_type, commit)


def refuse_direction(base: Base, codes: Sequence[str | None], direction: Direction) -> None:
    """Refuse a model that says it translates between other languages.

    Codes that are no language of the lab (`mul`, `ROMANCE`, `gmw`) stand for many and are let pass.

    Raises:
        InputError: one of its two languages is another one.
    """
    wanted = (direction.source, direction.target)
    own = [_BY_ALPHA3.get(code or "", code) for code in codes]
    if any(one in LANGUAGES and one != code for one, code in zip(own, wanted, strict=True)):
        raise InputError(
            f"'{base.name}' translates {own[0]}-{own[1]}, and {direction} is needed",
            field=FIELD,
            fix="write {source}-{target} in its name for a model in every direction",
        )

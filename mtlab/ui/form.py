"""The launch form's values, and the spec they make; and the other way round."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mtlab import corpora
from mtlab.commands import field_of
from mtlab.errors import InputError
from mtlab.experiments.experiment import ALL, flat
from mtlab.experiments.typed import seeds_from_text
from mtlab.fields import choices_of
from mtlab.methods import NONE, trains
from mtlab.settings import Settings
from mtlab.spec import RunSpec, put

PATHS: dict[str, str] = {
    "base": "base",
    "method": "training.method",
    "size": "size",
    "train": "train",
    "noise_kind": "noise.kind",
    "noise_side": "noise.side",
    "noise_ratio": "noise.ratio",
    "translator": "noise.translator",
    "dictionary_path": "noise.dictionary",
    "dictionary": "noise.dictionary",
    "terms_path": "noise.terms",
    "terms": "noise.terms",
    "language": "noise.language",
    "seed": "seed",
    "test": "test",
    "corpus": "corpus",
    "upload": "corpus",
    "balance": "balance",
    "reverse": "reverse",
    "test_corpus": "test_corpus",
    "test_limit": "test_limit",
    "metrics": "metrics",
    "comet_model": "comet_model",
    "score_base": "score_base",
    "probe_size": "probe_size",
    "learning_rate": "training.learning_rate",
    "steps": "training.steps",
    "batch_size": "training.batch_size",
    "accumulation": "training.accumulation",
    "schedule": "training.schedule",
    "warmup": "training.warmup",
    "weight_decay": "training.weight_decay",
    "precision": "training.precision",
    "gradient_checkpointing": "training.gradient_checkpointing",
    "max_length": "training.max_length",
    "checkpoint_steps": "training.checkpoint_steps",
    "lora_rank": "training.lora_rank",
    "lora_alpha": "training.lora_alpha",
    "lora_dropout": "training.lora_dropout",
    "lora_targets": "training.lora_targets",
    "strategy": "decoding.strategy",
    "beams": "decoding.beams",
    "max_new_tokens": "decoding.max_new_tokens",
    "temperature": "decoding.temperature",
    "top_p": "decoding.top_p",
    "token_budget": "decoding.token_budget",
    "backend": "decoding.backend",
    "decoding_precision": "decoding.precision",
    "devices": "devices",
    "sharing": "strategy",
    "template": "template",
    "revision": "revision",
    "name": "name",
    "group": "group",
}
"""Where each field of the form stands in the spec. Of two for the same place, an uploaded file
(`upload`, `dictionary`, `terms`) outdoes what is written.
"""

FIELDS = tuple(PATHS)
"""The form's fields in the order in which its components are given to a handler."""

UPLOADS = {"corpus": "upload", "dictionary_path": "dictionary", "terms_path": "terms"}
"""The fields that take a file from the browser, by the field that takes its name."""

# The fields that belong to one kind of noise alone, by the kind.
NOISE_FIELDS: dict[str, tuple[str, ...]] = {
    "sentence": ("translator",),
    "word": ("dictionary_path", "dictionary"),
    "jargon": ("terms_path", "terms"),
    "wrong-language": ("language",),
}

DEFAULT_TRAIN = ("de-en", "en-de")

OF_TRAINING = (
    "train", "noise_kind", "noise_side", "noise_ratio", "balance", "reverse",
    *(name for fields in NOISE_FIELDS.values() for name in fields),
    *(
        name for name, path in PATHS.items()
        if path.startswith("training.") and name not in ("method", "precision")
    ),
)  # fmt: skip
"""The fields that are of no use where nothing is trained."""

_NEVER_LEFT_OUT = ("base", "size", "metrics")


def spec_from_form(values: Mapping[str, Any], settings: Settings) -> RunSpec:
    """The spec that the form's values make; of several seeds, with the first.

    Args:
        values: by the names in `FIELDS`; empty fields mean the default.
        settings: where an uploaded file and the corpora lie.

    Raises:
        InputError: a value that cannot be used; the sentence names the field.
    """
    data: dict[str, Any] = {}
    for name, value in _that_count(values).items():
        read = _READ.get(name)
        value = read(value) if read else value
        if name in _NEVER_LEFT_OUT or value not in (None, "", ()):
            put(data, PATHS[name], value)
    method = data.get("training", {}).get("method")
    if trains(method) and not data.get("train"):
        raise InputError(
            "no training direction is chosen", field="train", fix="choose at least one"
        )
    if data.get("size") == ALL:
        spec = RunSpec.from_json({**data, "size": 1})
        corpus = corpora.corpora_for(spec, settings).train
        data["size"] = sum(len(corpus.pool(direction)) for direction in spec.train)
    return RunSpec.from_json(data)


def seeds_from_form(values: Mapping[str, Any]) -> tuple[int, ...]:
    """The seeds that the form asks for; raises as `seeds_from_text`."""
    return seeds_from_text(values["seed"])


def form_from_spec(spec: RunSpec | Mapping[str, Any]) -> dict[str, Any]:
    """The form's values that make a spec: the inverse of `spec_from_form`.

    Args:
        spec: whole, for every field of the form; or some of its plain values (`RunSpec.to_json`),
            for the fields that show them.
    """
    data = flat(spec.to_json() if isinstance(spec, RunSpec) else spec)
    values = {
        name: _shown(name, data[path])
        for name, path in PATHS.items()
        if path in data and name not in UPLOADS.values()
    }
    return values | {upload: None for name, upload in UPLOADS.items() if name in values}


def problems_of(
    values: Mapping[str, Any], settings: Settings
) -> tuple[RunSpec | None, dict[str, InputError]]:
    """The spec that the values make, or all that is wrong with them, by the form's field.

    What names no field of the form stands under "".

    Raises:
        NotAvailable: the corpus lies where this machine cannot reach.
    """
    problems: dict[str, InputError] = {}
    mended = dict(values)
    while True:
        try:
            spec = spec_from_form(mended, settings)
            return (None if problems else spec), problems
        except InputError as error:
            name = field_named(error.field)
            if name in problems:
                return None, problems
            problems[name] = error
            mended[name] = BLANK.get(name)


def field_named(field: str | None) -> str:
    """The form's field for the one that an error names; "" where there is none."""
    return next((name for name, path in PATHS.items() if field in (path, name)), "")


def _that_count(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of what is shown: what is hidden does not count."""
    kind, method = values["noise_kind"], values["method"]
    of_kind = NOISE_FIELDS.get(kind, ())
    hidden = {name for fields in NOISE_FIELDS.values() for name in fields if name not in of_kind}
    if kind == "none":
        hidden |= {"noise_side", "noise_ratio"}
    if not trains(method):
        hidden.update(OF_TRAINING)
    if method == NONE:
        hidden.add("size")
    return {name: values[name] for name in FIELDS if name not in hidden}


def _words(text: Any) -> tuple[str, ...]:
    return tuple(str(text or "").replace(",", " ").split())


# What a field of the form is read as; any other is taken as it is.
_READ: dict[str, Callable[[Any], Any]] = {
    "base": lambda value: value or "",
    "method": lambda value: None if value == "default" else value,
    "size": lambda value: str(value).strip().lower().replace(",", ""),
    "seed": lambda value: seeds_from_text(value)[0],
    "train": lambda value: tuple(value or ()),
    "test": lambda value: tuple(value or ()),
    "metrics": lambda value: tuple(value or ()),
    "lora_targets": _words,
}

# And how a field of the spec is written into it; any other is empty at its default.
_WRITTEN: dict[str, Callable[[Any], Any]] = {
    "base": str,
    "corpus": str,
    "method": lambda value: value or "default",
    "size": str,
    "seed": str,
    "train": list,
    "test": lambda value: list(value or ()),
    "metrics": list,
    "noise_ratio": float,
    "translator": lambda value: value or "latest",
    "gradient_checkpointing": lambda value: {True: "yes", False: "no"}.get(value, ""),
    "lora_targets": lambda value: ", ".join(value or ()),
    "score_base": bool,
}


def _shown(name: str, value: Any) -> Any:
    if name in _WRITTEN:
        return _WRITTEN[name](value)
    path = PATHS[name]
    if choices_of(path):
        return value
    return "" if value in (None, field_of(path).default) else str(value)


BLANK: dict[str, Any] = form_from_spec(RunSpec(train=DEFAULT_TRAIN))
"""The values of the untouched form."""

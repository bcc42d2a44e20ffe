"""The launch form's values and the spec they make."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mtlab import corpora
from mtlab.errors import InputError, NotAvailable
from mtlab.methods import NONE, trains
from mtlab.runs.files import write_atomic
from mtlab.settings import Settings
from mtlab.spec import RunSpec

# The form's fields in the order in which its components are given to a handler.
FIELDS = (
    "base",
    "method",
    "corpus",
    "upload",
    "size",
    "train",
    "balance",
    "noise_kind",
    "noise_side",
    "noise_ratio",
    "translator",
    "dictionary",
    "terms",
    "language",
    "test",
    "test_limit",
    "metrics",
    "seed",
    "learning_rate",
    "steps",
    "batch_size",
    "beams",
    "template",
    "name",
)

# The fields that belong to one kind of noise alone, by the kind.
NOISE_FIELDS: dict[str, tuple[str, ...]] = {
    "sentence": ("translator",),
    "word": ("dictionary",),
    "jargon": ("terms",),
    "wrong-language": ("language",),
}


def spec_from_form(values: Mapping[str, Any], settings: Settings) -> RunSpec:
    """The spec that the form's values make.

    Args:
        values: by the names in `FIELDS`; empty fields mean the default.
        settings: where an uploaded file and the corpora lie.

    Raises:
        InputError: a value that cannot be used; the sentence names the field.
    """
    method = None if values["method"] == "default" else values["method"]
    if not trains(method):
        values = _of_untrained(values)
    elif not values["train"]:
        raise InputError(
            "no training direction is chosen", field="train", fix="choose at least one"
        )
    data: dict[str, Any] = {
        "base": values["base"] or "",
        "corpus": values["upload"] or values["corpus"],
        "size": values["size"],
        "train": tuple(values["train"]),
        "balance": values["balance"],
        "noise": {
            "kind": values["noise_kind"],
            "side": values["noise_side"],
            "ratio": values["noise_ratio"],
            # What is not shown does not count.
            **_given(**{name: values[name] for name in NOISE_FIELDS.get(values["noise_kind"], ())}),
        },
        "test": tuple(values["test"]) or None,
        "metrics": tuple(values["metrics"]),
        "training": _given(
            method=method,
            learning_rate=values["learning_rate"],
            steps=values["steps"],
            batch_size=values["batch_size"],
        ),
        "decoding": _given(beams=values["beams"]),
        **_given(
            test_limit=values["test_limit"],
            seed=values["seed"],
            template=values["template"],
            name=values["name"],
        ),
    }
    if data["size"] == "all":
        spec = RunSpec.from_json({**data, "size": 1})
        corpus = corpora.corpora_for(spec, settings).train
        data["size"] = sum(len(corpus.pool(direction)) for direction in spec.train)
    return RunSpec.from_json(data)


def _of_untrained(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a system that is not trained: what is hidden then does not count."""
    hidden: dict[str, Any] = {
        "train": (),
        "noise_kind": "none",
        "learning_rate": None,
        "steps": None,
        "batch_size": None,
    }
    if values["method"] == NONE:
        hidden["size"] = 1  # not used
    return {**values, **hidden}


def keep_upload(values: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    """The values with uploaded files moved to where the run will still find them tomorrow.

    The browser's uploads lie in a temporary folder; a run and its resumption read the lab's copy,
    which lies in a folder named by its content. A corpus that cannot be used is not kept.

    Raises:
        InputError: a file cannot be used; names the line.
        NotAvailable: the copy cannot be written.
    """
    if values["upload"]:
        corpora.open_corpus(str(values["upload"]), settings)
    of_noise = NOISE_FIELDS.get(values["noise_kind"], ())
    uploads = ["upload", *(name for name in ("dictionary", "terms") if name in of_noise)]
    return {**values, **{name: _kept(values[name], settings) for name in uploads}}


def _kept(upload: str | None, settings: Settings) -> str | None:
    if not upload:
        return upload
    source = Path(upload)
    try:
        data = source.read_bytes()
        kept = settings.home / "uploads" / hashlib.sha256(data).hexdigest()[:16] / source.name
        if not kept.exists():
            kept.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(kept, data.decode())  # whole or not at all, should the disk be full
    except UnicodeDecodeError:
        raise InputError(
            f"'{source.name}' is not UTF-8", field="upload", fix="save it as UTF-8"
        ) from None
    except OSError as error:
        raise NotAvailable(
            "the uploaded file cannot be kept", why=error.strerror, fix="free disk space"
        ) from None
    return str(kept)


def _given(**values: Any) -> dict[str, Any]:
    """The values that were filled in; Gradio gives an empty number as None, an empty text as ''."""
    return {name: value for name, value in values.items() if value not in (None, "")}

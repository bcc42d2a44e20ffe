"""Files from the browser, kept where a run will still find them tomorrow."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mtlab import corpora
from mtlab.access.limits import check_kept
from mtlab.errors import InputError, NotAvailable
from mtlab.runs.files import write_atomic
from mtlab.settings import Settings
from mtlab.ui.form import NOISE_FIELDS, UPLOADS


def keep_upload(values: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    """The form's values with uploaded files moved into the lab's home.

    The browser's uploads lie in a temporary folder; a run and its resumption read the lab's copy,
    which lies in a folder named by its content. A corpus that cannot be used is not kept.

    Raises:
        InputError: a file cannot be used; names the line.
        NotAvailable: the copy cannot be written, or the lab keeps too many of them.
    """
    if values["upload"]:
        corpora.open_corpus(str(values["upload"]), settings)
    of_kind = NOISE_FIELDS.get(values["noise_kind"], ())
    counting = [name for name in UPLOADS.values() if name == "upload" or name in of_kind]
    return {**values, **{name: _kept(values[name], settings) for name in counting}}


def _kept(upload: str | None, settings: Settings) -> str | None:
    if not upload:
        return upload
    source = Path(upload)
    if not settings.may_open(source):
        raise InputError("no file was brought", field="upload", fix="choose it again")
    if settings.confined is not None:
        check_kept(settings, [source])
    try:
        data = source.read_bytes()
        kept = settings.uploads / hashlib.sha256(data).hexdigest()[:16] / source.name
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

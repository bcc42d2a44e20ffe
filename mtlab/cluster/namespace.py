"""The word that keeps a home's jobs apart from every other home's on the same cluster."""

from __future__ import annotations

import secrets

from mtlab.runs.files import read_json, write_json, writing
from mtlab.runs.store import RunStore

_FILE = "cluster.json"


def namespace_of(store: RunStore) -> str:
    """The home's word, made and written down the first time it is wanted.

    Raises:
        NotAvailable: the home cannot be written.
    """
    path = store.settings.home / _FILE
    known = (read_json(path) or {}).get("namespace")
    if isinstance(known, str) and known:
        return known
    # The database's lock: of two processes one makes the word.
    with store.database.transaction(), writing(store.settings.home):
        known = (read_json(path) or {}).get("namespace")
        if isinstance(known, str) and known:
            return known
        made = f"mtlab-{secrets.token_hex(6)}"
        write_json(path, {"namespace": made})
        return made

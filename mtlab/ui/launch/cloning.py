"""A spec into the form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr

from mtlab import corpora
from mtlab.defaults import reopened
from mtlab.errors import InputError, MtlabError
from mtlab.presets import resolve_base
from mtlab.settings import Settings
from mtlab.spec import RunSpec
from mtlab.ui.form import FIELDS, form_from_spec
from mtlab.ui.launch.advanced import differs
from mtlab.ui.launch.directions import codes_of
from mtlab.ui.launch.layout import LaunchForm


def cloned(data: Any, settings: Settings) -> dict[str, Any]:
    """The form's values for a spec's plain values.

    Of a whole spec, what its base, method and size decide by themselves is left open, so that it
    follows when one of them is changed. Of a part of a spec, the fields that it names.

    Raises:
        InputError: it is no spec.
    """
    if not isinstance(data, Mapping):
        raise InputError("that is no run's spec", field="clone", fix="clone a run of this lab")
    if not set(data) >= set(RunSpec.model_fields):
        return form_from_spec(data)
    spec = RunSpec.from_json(data)
    try:
        spec = reopened(spec, resolve_base(spec.base, settings))
    except MtlabError:
        pass  # its base is gone: the preview says so, and nothing follows from it
    return form_from_spec(spec)


def filled(
    values: Mapping[str, Any],
    before: Mapping[str, Any],
    form: LaunchForm,
    settings: Settings,
) -> list[Any]:
    """The updates of the form's fields, its accordion, and of what is shown or hidden.

    Args:
        values: new values, some or all.
        before: the form's values until now.
        form: whose updates they are.
        settings: where the corpora lie.
    """
    now = {**before, **values}
    updates = {name: gr.update(value=value) for name, value in values.items()}
    for name in ("train", "test"):
        if name in values or "corpus" in values:
            chosen = now[name] or []
            updates[name] = gr.update(value=chosen, choices=_choices(name, now, chosen, settings))
    opened = gr.update(open=True) if differs(values) else gr.skip()
    return [
        *(updates.get(name, gr.skip()) for name in FIELDS),
        opened,
        *form.shown_for(now["method"], now["noise_kind"]),
    ]


def _choices(name: str, now: Mapping[str, Any], chosen: list[str], settings: Settings) -> list[str]:
    """The directions of the corpus, and those chosen that it lacks, so that this can be said."""
    try:
        codes = codes_of(name, corpora.open_corpus(now["upload"] or now["corpus"], settings))
    except MtlabError:
        codes = []
    return [*codes, *(code for code in chosen if code not in codes)]

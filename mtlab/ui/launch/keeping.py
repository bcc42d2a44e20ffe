"""The form as a visitor left it, kept by their browser tab, so that a reload loses nothing."""

from __future__ import annotations

import json
from typing import Any

import gradio as gr

from mtlab.settings import Settings
from mtlab.ui.errors import shown
from mtlab.ui.events import FOLLOWING, QUIET
from mtlab.ui.form import BLANK, FIELDS, UPLOADS
from mtlab.ui.launch.cloning import filled
from mtlab.ui.launch.layout import LaunchForm

_KEPT = [name for name in FIELDS if name not in UPLOADS.values()]
"""An uploaded file is not kept: the browser does not give it twice."""

# Nothing is written before what was kept has been read.
_WRITE = """
(...values) => {
  if (!window.mtlabFormRead) return;
  const names = NAMES;
  const kept = Object.fromEntries(names.map((name, at) => [name, values[at]]));
  sessionStorage.setItem("mtlab-form", JSON.stringify(kept));
}
""".replace("NAMES", json.dumps(_KEPT))
_READ = '(kept, ...values) => [sessionStorage.getItem("mtlab-form") ?? "", ...values]'
_HAS_READ = "() => { window.mtlabFormRead = true; }"


def keep_form(page: gr.Blocks, form: LaunchForm, settings: Settings) -> None:
    """Have the browser keep the form's values as they change, and fill them in when it loads."""
    kept = gr.Textbox("", label="The form as it was left", visible="hidden")

    def fill(text: str, *given: Any) -> list[Any]:
        values = read_kept(text)
        if not values:
            return [gr.skip()] * (len(form.inputs) + 1 + len(form.parts))
        return filled(values, dict(zip(FIELDS, given, strict=True)), form, settings)

    page.load(
        shown(fill),
        [kept, *form.inputs],
        [*form.inputs, form.advanced, *form.parts],
        js=_READ,
        **QUIET,
    ).then(None, None, None, js=_HAS_READ, **QUIET)
    fields = [form.fields[name] for name in _KEPT]
    gr.on([field.change for field in fields], None, fields, None, js=_WRITE, **FOLLOWING)


def read_kept(text: str) -> dict[str, Any]:
    """The values that a browser kept; none of what is not of the form, or of another kind."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(data, dict):
        return {}
    return {name: data[name] for name in _KEPT if _is_like(data.get(name), BLANK[name])}


def _is_like(value: Any, blank: Any) -> bool:
    if isinstance(blank, list):
        return isinstance(value, list) and all(isinstance(one, str) for one in value)
    if isinstance(blank, float):
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, type(blank))

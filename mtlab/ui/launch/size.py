"""How many pairs: a slider over the sizes that double up to all, and a field for any other."""

from __future__ import annotations

from typing import Any

import gradio as gr

from mtlab.experiments.ladders import sizes_up_to
from mtlab.methods import FEW_SHOT, MOST_EXAMPLES, NONE, trains
from mtlab.runs.preview import Preview
from mtlab.settings import ASSETS
from mtlab.ui.events import QUIET
from mtlab.ui.form import BLANK
from mtlab.ui.launch.fields import LABELS

_EXAMPLES = ("1", "2", "3", "5", "8", "16", str(MOST_EXAMPLES))
_FIRST = {"pairs": BLANK["size"], "examples": "3"}
_SLIDER = (
    '<input type="range" min="0" max="1" step="any" aria-label="Size, in stops">'
    '<div class="stop-labels"></div>'
)


class SizeField:
    """The field and its slider; adds the field to the form."""

    def __init__(self, form: dict[str, Any]) -> None:
        with gr.Row(elem_classes="field-box", elem_id="size-box") as self.box:
            form["size"] = gr.Textbox(
                BLANK["size"],
                label=_label(BLANK["method"]),
                elem_id="size",
                max_lines=1,
                scale=1,
                min_width=110,
            )
            self.slider = gr.HTML(
                BLANK["size"],
                html_template=_SLIDER,
                js_on_load=(ASSETS / "size_stops.js").read_text(encoding="utf-8"),
                elem_id="size-stops",
                scale=4,
                min_width=220,
                apply_default_css=False,
                stops=["16", "32", "64", "128", "256", "512", "1024", "all"],
                pairs="",
            )
        self.slider.input(None, [self.slider], [form["size"]], js="(size) => size", **QUIET)
        form["size"].change(None, [form["size"]], [self.slider], js="(size) => size", **QUIET)


def stops_for(preview: Preview) -> Any:
    """The slider with the sizes that the corpus has for the directions."""
    method = preview.spec.training.method
    if method == NONE:
        return gr.skip()
    pairs = sum(preview.pool_sizes.values())
    stops = _EXAMPLES if method == FEW_SHOT else sizes_up_to(pairs)
    return gr.update(stops=list(map(str, stops)), pairs=f"{pairs:,}")


def size_for(method: str, size: str, memory: dict[str, str]) -> tuple[Any, dict[str, str]]:
    """The field when another method is chosen, with the size last asked for with such a one.

    Args:
        method: as it is now.
        size: as it stands in the field.
        memory: what this gave last; {} before.
    """
    if method == NONE:
        return gr.skip(), memory
    now, before = "pairs" if trains(method) else "examples", memory.get("now", "pairs")
    memory = {**memory, before: size, "now": now}
    return gr.Textbox(value=memory.get(now, _FIRST[now]), label=_label(method)), memory


def _label(method: str) -> str:
    return LABELS["size"] if trains(method) else "Examples shown"

"""The experiment matrix on the page: filters, panels of cells, and what a click on a cell does."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, NamedTuple

import gradio as gr

from mtlab.errors import InputError
from mtlab.lab import Lab
from mtlab.results.cells import Cell
from mtlab.results.empty_cells import empty_cell_spec
from mtlab.results.filters import FILTERS, MEAN, Choices, Filters, fitted, of_run
from mtlab.results.labels import METRICS, base_label, digits
from mtlab.results.lessons import as_chosen
from mtlab.results.matrix import UNTRAINED, Matrix, Panel, Row, matrix_of
from mtlab.results.overview import Overview, Snapshot
from mtlab.ui.choosing import CHOOSE_ONLY
from mtlab.ui.clicks import Click, button, clickable, clicked
from mtlab.ui.errors import shown
from mtlab.ui.markup import escape
from mtlab.ui.part import Part
from mtlab.ui.revealing import reveal
from mtlab.ui.wires import Asked, Wires, asked

_LABELS = {
    "base": "Base model",
    "corpus": "Corpus",
    "method": "Method",
    "noise": "Noise",
    "metric": "Metric",
    "direction": "Tested direction",
}
_METHODS = {"lora": "LoRA", "full": "full fine-tuning"}


@dataclass(frozen=True)
class Shown:
    """What one visitor sees of the matrix."""

    filters: Filters = Filters()
    choices: Choices = Choices()
    mark: int = -1
    opened: str = ""
    html: int = 0


class MatrixPart:
    """The matrix of one page.

    Args:
        lab: whose runs it shows.
        overview: reads them.
        opened: the visitor's open run.
    """

    def __init__(self, lab: Lab, overview: Overview, opened: gr.Textbox) -> None:
        self._lab = lab
        self._overview = overview
        self.shown = gr.State(Shown())
        with gr.Row(elem_id="matrix-filters"):
            self.filters = [
                gr.Dropdown(
                    [], label=_LABELS[name], interactive=True, min_width=170,
                    elem_id=f"matrix-{name}", **CHOOSE_ONLY,
                )
                for name in FILTERS
            ]  # fmt: skip
        self.html = clickable("matrix", "grid_keys.js")
        outputs = [self.shown, *self.filters, self.html]
        self.part = Part([self.shown, opened], outputs, self._changes)

    def wire(self, opened: gr.Textbox, wires: Wires) -> None:
        """Answer to the filters, and to a click on an empty cell."""
        gr.on(
            [one.input for one in self.filters],
            shown(self._chosen),
            [self.shown, opened, *self.filters],
            self.part.outputs,
            concurrency_limit=None,
            show_progress="hidden",
            trigger_mode="always_last",
            api_visibility="private",
        )

        def fill(seen: Shown, event: gr.EventData) -> Asked:
            return asked(self._spec_for(seen, clicked(event)))

        self.html.click(shown(fill), [self.shown], [wires.clone], api_visibility="private")

    def _chosen(self, seen: Shown, opened: str | None, *values: Any) -> list[Any]:
        """The outputs after a visitor has chosen filters."""
        wanted = Filters(*(value if isinstance(value, str) else "" for value in values))
        fresh = replace(seen, filters=wanted, mark=-1)
        return self._changes(self._overview.look(), fresh, opened)

    def showing(self, seen: Shown, run_id: str) -> Shown:
        """What a visitor sees once the filters show a run; drawn at the next poll."""
        run = self._overview.look().run(run_id)
        if run is None:
            return seen
        wanted = replace(of_run(run), metric=seen.filters.metric, direction=seen.filters.direction)
        return replace(seen, filters=wanted, mark=-1)

    def _spec_for(self, seen: Shown, click: Click) -> dict[str, Any]:
        """The plain values of the run that an empty cell asks for.

        Raises:
            InputError: there is no such empty cell.
        """
        try:
            panel, row, size = json.loads(click.value)
        except (ValueError, TypeError):
            panel = row = size = None
        if not isinstance(size, int):
            raise InputError("that cell is not there any more", field="cell", fix="choose another")
        snapshot = self._overview.look()
        matrix = drawn(snapshot, seen.filters).matrix
        nearest, changes = empty_cell_spec(snapshot.runs, matrix, panel, row, size)
        return {**as_chosen(nearest.spec, self._lab.settings), **changes}

    def _changes(self, snapshot: Snapshot, seen: Shown, opened: str | None) -> list[Any]:
        opened = opened or ""
        if (snapshot.mark, opened) == (seen.mark, seen.opened):
            return self.part.unchanged
        wanted = seen.filters
        if wanted == Filters() and (run := snapshot.run(opened)) is not None:
            wanted = of_run(run)  # a visitor who came by a link to a run
        filters, choices, matrix = drawn(snapshot, wanted)
        html = matrix_html(matrix, choices, opened)
        now = Shown(filters, choices, snapshot.mark, opened, hash(html))
        return [
            now,
            *(_dropdown(name, now, seen) for name in FILTERS),
            html if now.html != seen.html else gr.skip(),
        ]


class Drawn(NamedTuple):
    """The matrix for some filters, once these fit the runs there are."""

    filters: Filters
    choices: Choices
    matrix: Matrix


@lru_cache(maxsize=32)
def drawn(snapshot: Snapshot, wanted: Filters) -> Drawn:
    """The matrix for some filters, made once for all visitors that have them."""
    filters, choices = fitted(snapshot.runs, wanted)
    return Drawn(filters, choices, matrix_of(snapshot.runs, filters))


def _dropdown(name: str, now: Shown, before: Shown) -> Any:
    """A filter's new choices and value."""
    choices, value = getattr(now.choices, name), getattr(now.filters, name)
    same = choices == getattr(before.choices, name) and value == getattr(before.filters, name)
    if same and before.mark >= 0:
        return gr.skip()
    told = [(_told(name, choice), choice) for choice in choices]
    return gr.update(choices=told, value=value)


def _told(name: str, choice: str) -> str:
    if name == "metric":
        return METRICS.get(choice, choice)
    if name == "direction" and choice == MEAN:
        return "mean of all tested"
    if name == "method":
        return _METHODS.get(choice, choice)
    return base_label(choice)


def matrix_html(matrix: Matrix, choices: Choices, opened: str) -> str:
    """All panels under a sentence that says what they show; filters with a choice are revealed."""
    if not matrix.shown:
        return ""
    panels = "".join(_panel_html(panel, matrix.filters, opened) for panel in matrix.panels)
    sentence = escape(_sentence(matrix, choices))
    filters = reveal(f"matrix-{name}" for name in FILTERS if len(getattr(choices, name)) > 1)
    return f'{filters}<p class="quiet">{sentence}</p><div class="matrix-panels">{panels}</div>'


def _sentence(matrix: Matrix, choices: Choices) -> str:
    """What is seen, filters with nothing to choose included, and what is not."""
    filters = matrix.filters
    fixed = [
        _told(name, getattr(filters, name))
        for name in ("base", "method", "corpus")
        if getattr(filters, name) and len(getattr(choices, name)) == 1
    ]
    over = (
        "the mean over a run's test directions"
        if filters.direction == MEAN
        else f"on {filters.direction}"
    )
    text = f"{METRICS.get(filters.metric, 'Score')}, {over}, the mean over seeds"
    text += f" ({', '.join(fixed)})." if fixed else "."
    text += " The stronger the colour, the higher. An empty cell launches what is missing."
    if matrix.mixed:
        text += " Not all cells were tested on the same directions: choose one to compare them."
    if matrix.hidden:
        runs = "1 run" if matrix.hidden == 1 else f"{matrix.hidden} runs"
        text += f" The filters hide {runs}."
    return text


def _panel_html(panel: Panel, filters: Filters, opened: str) -> str:
    columns = "".join(f'<th scope="col">{size:,}</th>' for size in panel.sizes)
    rows = "".join(_row_html(panel, row, filters, opened) for row in panel.rows)
    name = escape(panel.name)
    first = "Examples shown" if panel.side == UNTRAINED else "Pairs"
    return (
        f'<section class="matrix-panel" aria-label="{name}"><h4>{name}</h4>'
        '<div class="scroll"><table class="matrix"><thead><tr>'
        f'<th scope="col">{first}</th>{columns}</tr></thead><tbody>{rows}</tbody></table></div>'
        "</section>"
    )


def _row_html(panel: Panel, row: Row, filters: Filters, opened: str) -> str:
    detail = f"<small>{escape(row.detail)}</small>" if row.detail else ""
    head = f'<th scope="row">{escape(row.name)}{detail}</th>'
    if len(row.cells) == 1 and row.cells[0].size is None:
        cell = _cell_html(panel, row, row.cells[0], filters, opened)
        return f'<tr>{head}<td colspan="{max(1, len(panel.sizes))}">{cell}</td></tr>'
    cells = "".join(
        f"<td>{_cell_html(panel, row, cell, filters, opened)}</td>" for cell in row.cells
    )
    return f"<tr>{head}{cells}</tr>"


def _cell_html(panel: Panel, row: Row, cell: Cell, filters: Filters, opened: str) -> str:
    if not cell.runs:
        place = json.dumps([panel.key, row.key, cell.size])
        return button("+", "launch", place, label=cell.words, css_class="cell empty")
    worst = next((state for state, _ in cell.states if state != "finished"), "finished")
    value = "" if cell.value is None else f"<b>{cell.value:.{digits(filters.metric)}f}</b>"
    standing = "" if value and cell.standing == "finished" else escape(cell.brief)
    more = f' <span title="of other settings, or run before">+{cell.others}</span>'
    note = f"<small>{standing}{more if cell.others else ''}</small>"
    bar = "" if cell.progress is None else f'<i style="width:{cell.progress:.0%}"></i>'
    shade = "" if cell.shade is None else f' style="--shade:{8 + 42 * cell.shade:.0f}%"'
    current = ' aria-current="true"' if opened in cell.runs else ""
    return button(
        f"{value}{note}{bar}",
        "open",
        cell.newest,
        label=cell.words,
        css_class=f"cell {worst}" + ("" if cell.shade is None else " shaded"),
        more=shade + current,
    )

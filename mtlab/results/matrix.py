"""The experiment matrix: sizes across, what was learnt from down, a panel for each noise side and
one for the systems that are not trained.

A cell stands for all runs of one condition, over its seeds. Where runs differ in something that
neither filters nor panel, row or column tell (steps, test segments ...), the cell is of the newest
one's recipe and counts the others. A value made from values: `overview` reads the runs, the
interface draws the matrix.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mtlab.methods import FEW_SHOT, NONE, amount
from mtlab.results.cells import Cell, cell_of, worded
from mtlab.results.filters import Filters, shown_by
from mtlab.results.labels import base_label
from mtlab.results.seen import SeenRun

LADDER = (16, 32, 64, 128, 256, 512, 1024)
"""Sizes that have a column though no run has them: the next ones to launch."""

FEW_SHOT_LADDER = (1, 3, 5)
"""The same for examples shown."""

TRAINED = "trained"
CLEAN = "clean"
UNTRAINED = "untrained"
_SIDES = (CLEAN, "source", "target", "both", UNTRAINED)
_LISTED = 2  # training directions that a row's name lists; of more it says how many


@dataclass(frozen=True)
class Row:
    """What is learnt from, and its cells, one for each of the panel's sizes.

    Attributes:
        kind: `TRAINED`, or the method of a system that is not trained.
        train: training directions; () where nothing is trained.
        reverse: the share of the pairs turned round.
        base: of a system that is taken as it is, its name; else empty.
        cells: by size; of a system that is taken as it is a single one.
    """

    kind: str
    train: tuple[str, ...] = ()
    reverse: float = 0.0
    base: str = ""
    cells: tuple[Cell, ...] = ()

    @property
    def key(self) -> str:
        """Tells the rows of a panel apart."""
        return f"{self.kind} {' '.join(self.train)} {self.reverse:g} {self.base}"

    @property
    def name(self) -> str:
        """What stands at its head."""
        if self.kind == NONE:
            return "not trained"
        if self.kind == FEW_SHOT:
            return "few-shot"
        return ", ".join(self.train) if self.is_short else f"{len(self.train)} directions"

    @property
    def detail(self) -> str:
        """What else tells it apart; often nothing."""
        if self.kind == NONE:
            return base_label(self.base)
        parts = [] if self.is_short else [" ".join(self.train)]
        return "; ".join([*parts, *([f"{self.reverse:.0%} reversed"] if self.reverse else [])])

    @property
    def is_short(self) -> bool:
        """Whether its name lists its directions."""
        return len(self.train) <= _LISTED


@dataclass(frozen=True)
class Panel:
    """One noise side; of noise that touches a part of the pairs alone, one for each share.

    Attributes:
        side: `CLEAN`, `source`, `target` or `both`; or `UNTRAINED`.
        ratio: the share of the pairs that noise touches; 0 without noise.
        kind: the kind of noise; empty without.
        sizes: its columns.
        rows: its rows.
    """

    side: str
    ratio: float = 0.0
    kind: str = ""
    sizes: tuple[int, ...] = ()
    rows: tuple[Row, ...] = ()

    @property
    def key(self) -> str:
        """Tells panels apart."""
        return f"{self.side} {self.ratio:g}"

    @property
    def name(self) -> str:
        """What stands above it: `Clean`, `Word noise on the source side, 50% of the pairs`."""
        if not self.kind:
            return "Not trained" if self.side == UNTRAINED else "Clean"
        sides = "both sides" if self.side == "both" else f"the {self.side} side"
        share = "" if self.ratio == 1 else f", {self.ratio:.0%} of the pairs"
        return f"{self.kind.capitalize()} noise on {sides}{share}"

    @property
    def short(self) -> str:
        """The same in a few words: `clean`, `target 50%`."""
        if not self.kind:
            return self.side
        return f"{self.kind} noise, {self.side}" + (f" {self.ratio:.0%}" if self.ratio < 1 else "")


@dataclass(frozen=True)
class Matrix:
    """All panels.

    Attributes:
        filters: what it is of.
        panels: clean first, then those of noise, then the untrained, where there are such runs.
        shown: the runs that stand in it.
        hidden: how many runs the filters hide.
        mixed: whether its values are means over different sets of tested directions.
    """

    filters: Filters
    panels: tuple[Panel, ...] = ()
    shown: tuple[str, ...] = ()
    hidden: int = 0
    mixed: bool = False

    def cells(self) -> Iterable[tuple[Panel, Row, Cell]]:
        """Every cell with where it stands."""
        for panel in self.panels:
            for row in panel.rows:
                for cell in row.cells:
                    yield panel, row, cell

    def seeds_of(self, run: str) -> tuple[str, ...]:
        """The runs that differ from a run in their seed alone, by seed, itself among them; () when
        no cell shows it.
        """
        return next((cell.runs for *_, cell in self.cells() if run in cell.runs), ())


def matrix_of(runs: Sequence[SeenRun], filters: Filters) -> Matrix:
    """The matrix of some runs.

    Args:
        runs: the newest first.
        filters: fitted to them (`filters.fitted`).
    """
    shown = shown_by(runs, filters)
    places: dict[tuple[str, str, int | None], list[SeenRun]] = {}
    panels, rows = {}, {}
    if any(run.trains for run in shown):
        panels[Panel(CLEAN).key] = Panel(CLEAN)
    for run in shown:
        panel, row = panel_of(run), row_of(run)
        panels[panel.key], rows[row.key] = panel, row
        places.setdefault((panel.key, row.key, _size(run)), []).append(run)
    filled = tuple(
        _filled(panel, sorted(rows.values(), key=_order_of_row), places, filters)
        for panel in sorted(panels.values(), key=lambda one: (_SIDES.index(one.side), -one.ratio))
    )
    matrix = Matrix(filters, filled, tuple(run.id for run in shown), len(runs) - len(shown))
    return _shaded(matrix)


def panel_of(run: SeenRun) -> Panel:
    """The panel that a run stands in, without its rows."""
    noise = run.spec.noise
    if not run.trains:
        return Panel(UNTRAINED)
    return Panel(noise.side, noise.ratio, noise.kind) if noise.active else Panel(CLEAN)


def row_of(run: SeenRun) -> Row:
    """The row that a run stands in, without its cells."""
    spec = run.spec
    if spec.training.method == NONE:
        return Row(NONE, base=spec.base)
    if not run.trains:
        return Row(FEW_SHOT)
    return Row(TRAINED, tuple(sorted(map(str, spec.train))), spec.reverse)


def _filled(
    panel: Panel,
    rows: Iterable[Row],
    places: dict[tuple[str, str, int | None], list[SeenRun]],
    filters: Filters,
) -> Panel:
    """A panel with its columns and its rows' cells."""
    own = [row for row in rows if (row.kind == TRAINED) == (panel.side != UNTRAINED)]
    keys = {row.key for row in own}
    sizes = {size for _, row, size in places if size is not None and row in keys}
    kinds = {row.kind for row in own}
    ladder = (
        *(LADDER if TRAINED in kinds else ()),
        *(FEW_SHOT_LADDER if FEW_SHOT in kinds else ()),
    )
    columns = tuple(sorted({*sizes, *ladder}))
    filled = []
    for row in own:
        cells = []
        for size in (None,) if row.kind == NONE else columns:
            there = places.get((panel.key, row.key, size))
            cell = cell_of(size, there, filters) if there else Cell(size)
            cells.append(replace(cell, words=worded(cell, _place(panel, row, size), filters)))
        filled.append(replace(row, cells=tuple(cells)))
    return replace(panel, sizes=columns, rows=tuple(filled))


def _place(panel: Panel, row: Row, size: int | None) -> str:
    if row.kind == NONE:
        return f"{row.name}, {row.detail}"
    if row.kind == FEW_SHOT:
        return f"{amount(FEW_SHOT, size or 0)}, few-shot"
    turned = f", {row.reverse:.0%} reversed" if row.reverse else ""
    return f"{amount(None, size or 0)}, {' '.join(row.train)}{turned}, {panel.short}"


def _shaded(matrix: Matrix) -> Matrix:
    """The matrix with each value's shade, and whether its values are over the same directions.

    Shades span the values of what was trained; one far outside is as light or dark as they get.
    """
    valued = [(row.kind, cell) for _, row, cell in matrix.cells() if cell.value is not None]
    trained = [cell for kind, cell in valued if kind == TRAINED] or [cell for _, cell in valued]
    values = [cell.value for cell in trained if cell.value is not None]
    low, high = min(values, default=0.0), max(values, default=0.0)

    def shaded(cell: Cell) -> Cell:
        if cell.value is None:
            return cell
        shade = (cell.value - low) / (high - low) if high > low else 0.5
        return replace(cell, shade=min(1.0, max(0.0, shade)))

    panels = tuple(
        replace(
            panel,
            rows=tuple(replace(row, cells=tuple(map(shaded, row.cells))) for row in panel.rows),
        )
        for panel in matrix.panels
    )
    return replace(matrix, panels=panels, mixed=len({cell.directions for _, cell in valued}) > 1)


def _size(run: SeenRun) -> int | None:
    return None if run.spec.training.method == NONE else run.spec.size


def _order_of_row(row: Row) -> tuple[Any, ...]:
    """Trained ones first, those on most directions at their head; then few-shot, then the rest."""
    kinds = (TRAINED, FEW_SHOT, NONE)
    return kinds.index(row.kind), -len(row.train), row.train, row.reverse, row.base

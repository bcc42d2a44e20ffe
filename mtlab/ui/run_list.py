"""The list of all runs on the page: searched, in pages, with several to be chosen."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from mtlab.errors import InputError
from mtlab.lab import Lab
from mtlab.results.labels import spec_label
from mtlab.results.listing import Listing, listed, scores_in_words
from mtlab.results.overview import Overview, Snapshot
from mtlab.results.seen import SeenRun
from mtlab.ui.clicks import button, clickable, clicked
from mtlab.ui.confirming import Confirmation
from mtlab.ui.errors import shown
from mtlab.ui.markup import escape, notice, table
from mtlab.ui.part import Part
from mtlab.ui.revealing import reveal
from mtlab.ui.wires import Wires, asked

MOST_COMPARED = 4


@dataclass(frozen=True)
class Shown:
    """What one visitor sees of the list.

    Attributes:
        query: what is searched for.
        page: from 1.
        chosen: the runs that are ticked, in the order of ticking.
        mark: of the snapshot it was drawn from; -1 to draw it again.
        opened: the open run.
    """

    query: str = ""
    page: int = 1
    chosen: tuple[str, ...] = ()
    mark: int = -1
    opened: str = ""


class RunList:
    """The list of one page.

    Args:
        lab: whose runs it lists.
        overview: reads them.
        opened: the visitor's open run.
    """

    def __init__(self, lab: Lab, overview: Overview, opened: gr.Textbox) -> None:
        self._lab = lab
        self._overview = overview
        self._opened = opened
        self.shown = gr.State(Shown())
        self.search = gr.Textbox(
            label="Search the runs",
            placeholder="a name, an id, failed, de-en, lora ...",
            max_lines=1,
            elem_id="run-search",
        )
        self.html = clickable("run-list")
        with gr.Row(elem_id="run-chosen"):
            self.compare = gr.Button("Compare", size="sm", min_width=120)
            self.delete = gr.Button("Delete", size="sm", variant="stop", min_width=120)
            self.clear = gr.Button("Choose none", size="sm", min_width=120)
        self.confirmation = Confirmation("runs-confirm")
        outputs = [self.shown, self.html, self.compare, self.delete]
        self.part = Part([self.shown, opened], outputs, self._changes)

    def wire(self, wires: Wires, refresh: Callable[[Any], None]) -> None:
        """Answer to the search, to clicks in the list, and to the buttons under it."""
        own: dict[str, Any] = {
            "inputs": self.part.inputs, "outputs": self.part.outputs, "show_progress": "hidden",
            "api_visibility": "private",
        }  # fmt: skip
        self.search.change(
            shown(self._searched),
            **{**own, "inputs": [*self.part.inputs, self.search]},
            trigger_mode="always_last",
            concurrency_limit=None,
        )
        self.html.click(shown(self._clicked), **own)
        self.clear.click(shown(self._cleared), **own)
        quiet: dict[str, Any] = {"api_visibility": "private"}
        self.compare.click(
            shown(lambda seen: asked(list(seen.chosen))), [self.shown], [wires.compare], **quiet
        )
        ask, confirmation = self._ask, self.confirmation
        self.delete.click(shown(ask), [self.shown], confirmation.outputs, **quiet)
        refresh(
            confirmation.yes.click(
                shown(self._remove), [confirmation.pending], [confirmation.question], **quiet
            )
        )

    def _searched(self, seen: Shown, opened: str | None, query: Any) -> list[Any]:
        text = query[:200] if isinstance(query, str) else ""
        return self._again(replace(seen, query=text, page=1), opened)

    def _clicked(self, seen: Shown, opened: str | None, event: gr.EventData) -> list[Any]:
        what, value = clicked(event)
        if what == "page" and value.isdecimal():
            return self._again(replace(seen, page=int(value[:6])), opened)
        if what == "choose" and self._overview.look().run(value) is not None:
            kept = tuple(one for one in seen.chosen if one != value)
            added = () if value in seen.chosen else (value,)
            return self._again(replace(seen, chosen=(*kept, *added)), opened)
        raise InputError("that run is not there any more", field="run", fix="choose another")

    def _cleared(self, seen: Shown, opened: str | None) -> list[Any]:
        return self._again(replace(seen, chosen=()), opened)

    def _ask(self, seen: Shown) -> tuple[str, Any]:
        count = len(seen.chosen)
        runs = "the chosen run" if count == 1 else f"the {count} chosen runs"
        return self.confirmation.asking(f"Remove {runs} and everything made by them?", seen.chosen)

    def _remove(self, chosen: tuple[str, ...] | None) -> Any:
        for run in chosen or ():
            self._lab.run(run).delete()
        return self.confirmation.gone()

    def _again(self, seen: Shown, opened: str | None) -> list[Any]:
        return self._changes(self._overview.look(), replace(seen, mark=-1), opened)

    def _changes(self, snapshot: Snapshot, seen: Shown, opened: str | None) -> list[Any]:
        opened = opened or ""
        if (snapshot.mark, opened) == (seen.mark, seen.opened):
            return self.part.unchanged
        chosen = [run for one in seen.chosen if (run := snapshot.run(one)) is not None]
        ids = tuple(run.id for run in chosen)
        listing = listed(snapshot.runs, seen.query, seen.page)
        now = replace(seen, chosen=ids, page=listing.page, mark=snapshot.mark, opened=opened)
        return [
            now,
            reveal(["run-chosen"] if chosen else []) + list_html(listing, ids, opened),
            _compare_button(chosen),
            gr.update(
                value=f"Delete {len(chosen)}", interactive=all(run.status.is_over for run in chosen)
            ),
        ]


def _compare_button(chosen: list[SeenRun]) -> Any:
    """What it says where it cannot be pressed is why."""
    if not 1 < len(chosen) <= MOST_COMPARED:
        return gr.update(value=f"Compare: choose 2 to {MOST_COMPARED}", interactive=False)
    if any(run.status.state != "finished" for run in chosen):
        return gr.update(value="Compare: finished runs only", interactive=False)
    return gr.update(value=f"Compare {len(chosen)}", interactive=True)


def list_html(listing: Listing, chosen: tuple[str, ...], opened: str) -> str:
    """A page of the list, and the way to the others."""
    if not listing.found:
        return notice("No run has all of these words.")
    rows = [_row(run, run.id in chosen, run.id == opened) for run in listing.runs]
    of = "" if listing.found == listing.total else f" of {listing.total}"
    runs = "run" if listing.total == 1 else "runs"
    caption = f"{listing.found}{of} {runs}, newest first"
    if listing.pages > 1:
        caption += f"; page {listing.page} of {listing.pages}"
    headers = ("Choose", "Run", "State", "Scores, mean over directions", "Seed", "Launched (UTC)")
    grid = table(headers, rows, caption=caption, css_class="numbers runs")
    return grid + _pager(listing)


def _row(run: SeenRun, chosen: bool, opened: bool) -> tuple[str, ...]:
    spec, status = run.spec, run.status
    name = spec.name or spec_label(spec)
    detail = spec_label(spec) if spec.name else ""
    tick = button(
        "", "choose", run.id, label=f"Choose {name}", css_class="tick",
        more=f' role="checkbox" aria-checked="{str(chosen).lower()}"',
    )  # fmt: skip
    current = ' aria-current="true"' if opened else ""
    link = button(
        f'<span dir="auto">{escape(name)}</span>', "open", run.id, css_class="link", more=current
    )
    state = status.state + (f" {status.progress:.0%}" if status.state == "running" else "")
    return (
        tick,
        f'{link}<small dir="auto">{escape(detail)}</small><small>{escape(run.id)}</small>',
        f'<span class="chip {escape(status.state)}">{escape(state)}</span>',
        escape(scores_in_words(run)),
        str(spec.seed),
        time.strftime("%Y-%m-%d %H:%M", time.gmtime(status.created)),
    )


def _pager(listing: Listing) -> str:
    """Buttons to the pages: the first, the last, and those about this one."""
    if listing.pages < 2:
        return ""
    near = {1, listing.pages, *range(listing.page - 2, listing.page + 3)}
    pages = [page for page in sorted(near) if 1 <= page <= listing.pages]
    buttons = "".join(
        button(
            str(page), "page", str(page), label=f"Page {page}", css_class="chip",
            more=' aria-current="page"' if page == listing.page else "",
        )
        for page in pages
    )  # fmt: skip
    return f'<nav class="chips" aria-label="Pages of the list">{buttons}</nav>'

"""Files made for a visitor: under a name of ours, in a folder nobody can guess, for a while.

The folder lies in Gradio's own cache, which it serves, and empties of what is a day old
(`delete_cache` in `mtlab.ui.page`). Nothing of a visitor's text becomes a path.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr

from mtlab.errors import NotAvailable
from mtlab.results.bundle import write_bundle
from mtlab.results.report import Report
from mtlab.ui.errors import shown

# Click a file that a handler has just made. Only JavaScript can; `file` is where it is served.
_SAVE = """
(file) => {
  if (!file || !file.url) return;
  const link = document.createElement("a");
  link.href = file.url;
  link.download = file.orig_name;
  document.body.appendChild(link);
  link.click();
  link.remove();
}
"""


def _text(rendering: Callable[[Report], str]) -> Callable[[Report, Path], object]:
    return lambda report, path: path.write_text(rendering(report), encoding="utf-8")


RENDERINGS: dict[str, tuple[str, Callable[[Report, Path], object]]] = {
    "csv": ("CSV", _text(Report.csv)),
    "json": ("JSON", _text(Report.json)),
    "tex": ("LaTeX", _text(Report.latex)),
    "html": ("HTML report", _text(Report.html)),
    "zip": ("ZIP bundle", write_bundle),
}
"""By ending: what its button says, and what writes it."""

WITHOUT_FINDINGS = ("csv", "tex")
"""Endings of what holds numbers alone, and so need not wait for findings."""


def download_buttons(name: str, make: Callable[..., Report], inputs: list[Any]) -> None:
    """A button for every rendering of what `make` gives.

    Args:
        name: of the files, without an ending.
        make: the report, from an ending and the values of `inputs`.
        inputs: components.
    """
    # In the page but not seen: it holds the file for the moment in which it is saved.
    holder = gr.DownloadButton("File", visible="hidden", elem_classes="unseen")
    quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    with gr.Row(elem_classes="downloads"):
        for ending, (label, write) in RENDERINGS.items():
            button = gr.Button(label, size="sm", min_width=90, elem_id=f"{name}-{ending}")

            def made(*values: Any, ending: str = ending, write: Any = write) -> str:
                if ending not in WITHOUT_FINDINGS:
                    gr.Info(f"Making {name}.{ending} ...", duration=4)
                report = make(ending, *values)
                return written(report, f"{name}.{ending}", write, Path(holder.GRADIO_CACHE))

            done = button.click(shown(made), inputs, [holder], concurrency_limit=4, **quiet)
            done.success(None, [holder], None, js=_SAVE, **quiet)


def written(report: Report, name: str, write: Callable[[Report, Path], object], cache: Path) -> str:
    """Write a report into a new folder below `cache`; returns where.

    Raises:
        NotAvailable: the file cannot be written.
    """
    path = cache / secrets.token_hex(16) / name
    try:
        path.parent.mkdir(parents=True)
        write(report, path)
    except OSError as error:
        raise NotAvailable(
            f"'{name}' cannot be written", why=error.strerror, fix="free some disk space"
        ) from None
    return str(path)

"""The address names the run and the tab, so that Back, a reload and a link land where one was."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr

from mtlab.lab import Lab
from mtlab.ui.errors import shown

# Write what is looked at into the address. Only JavaScript can.
_WRITE_RUN = """
(run) => {
  const address = new URL(window.location);
  run ? address.searchParams.set("run", run) : address.searchParams.delete("run");
  window.history.replaceState(null, "", address);
}
"""
# The first tab says it is selected before the page has read the address it came by. A tab is a step
# that the browser's Back undoes; of the step back itself none is made.
_WRITE_TAB = """
() => {
  if (!window.mtlabArrived) return;
  const address = new URL(window.location);
  if ((address.searchParams.get("tab") ?? "FIRST") === "TAB") return;
  address.searchParams.set("tab", "TAB");
  window.history.pushState(null, "", address);
}
"""
_ARRIVED = """
() => {
  window.mtlabArrived = true;
  const address = new URL(window.location);
  const open = document.querySelector('#tabs button[aria-selected="true"]')?.dataset.tabId;
  if (!address.searchParams.has("tab") && open && open !== "FIRST") {
    address.searchParams.set("tab", open); // it was chosen before the page had arrived
    window.history.replaceState(null, "", address);
  }
  window.addEventListener("popstate", () => {
    const tab = new URL(window.location).searchParams.get("tab") ?? "FIRST";
    document.querySelector(`#tabs button[data-tab-id="${CSS.escape(tab)}"]`)?.click();
  });
}
"""
_QUIET: dict[str, Any] = {"api_visibility": "private"}


def keep_address(
    lab: Lab, page: gr.Blocks, run: gr.Textbox, tabs: gr.Tabs, parts: Mapping[str, gr.Tab]
) -> None:
    """Read the address when a visitor arrives, and write it as they look around.

    Args:
        lab: whose runs it names.
        page: the page.
        run: the id of the run that is looked at.
        tabs: all tabs.
        parts: each tab by its id.
    """

    def arrive(request: gr.Request) -> tuple[Any, Any]:
        ids = [run.id for run in lab.runs()]
        asked = request.query_params.get("run")
        tab = request.query_params.get("tab")
        value = asked if asked in ids else (ids[0] if ids else "")
        opened = tab if tab in parts else ("runs" if asked in ids else None)
        # Unasked, the tabs are left alone: the visitor may have chosen one while this ran.
        tabs_update = gr.Tabs(selected=opened) if opened else gr.skip()
        return value, tabs_update

    arrival = page.load(shown(arrive), None, [run, tabs], **_QUIET)
    first = next(iter(parts))
    arrival.then(None, None, None, js=_ARRIVED.replace("FIRST", first), **_QUIET)
    run.change(None, [run], None, js=_WRITE_RUN, **_QUIET)
    for name, tab in parts.items():
        write = _WRITE_TAB.replace("FIRST", first).replace("TAB", name)
        tab.select(None, None, None, js=write, **_QUIET)

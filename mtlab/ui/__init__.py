"""The browser's door to the lab: one file per tab. No experiment runs inside an event handler."""

from mtlab.ui.page import build, serve

__all__ = ["build", "serve"]

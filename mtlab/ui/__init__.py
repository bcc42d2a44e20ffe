"""The browser's door to the lab: one file per tab. No experiment runs inside an event handler."""

from mtlab.ui.page import build
from mtlab.ui.serving import serve

__all__ = ["build", "serve"]

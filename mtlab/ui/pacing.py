"""How often one visitor may ask for work, so that the others get their turn."""

from __future__ import annotations

import gradio as gr

from mtlab.access.rate import Pace

LIVE = "live translation"
LIVE_AT_ONCE = 2
"""How many translate at once, on the page and over the API together."""

_PAGES_OF_AN_ADDRESS = 6
_SCORED_A_MINUTE = 10


class VisitorPace:
    """The pace of live translation and of scoring, for a page and, more freely, for an address.

    A page's session is a word that its browser made up, so that the address, which several people
    may share, bounds what one can do with many of them.

    Args:
        translations: of one page in a minute; 0 is no limit.
    """

    def __init__(self, translations: int = 20) -> None:
        many = translations or 1_000_000
        self._of_page = Pace(many, 60, "translations")
        self._of_address = Pace(many * _PAGES_OF_AN_ADDRESS, 60, "translations")
        self._scores = Pace(_SCORED_A_MINUTE, 60, "sets of translations to score")

    def take(self, request: gr.Request | None) -> None:
        """Count a translation of the visitor of a request; raises as `Pace.take`."""
        self._of_address.take(_address(request))
        page = getattr(request, "session_hash", None)
        if page is not None:
            self._of_page.take(str(page))

    def score(self, request: gr.Request | None) -> None:
        """Count a call that scores; raises as `Pace.take`."""
        self._scores.take(_address(request))


def _address(request: gr.Request | None) -> str:
    client = getattr(request, "client", None)
    return str(getattr(client, "host", ""))

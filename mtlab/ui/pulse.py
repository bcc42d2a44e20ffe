"""A page asks often whether there is news, which costs little; only news has it look again.

An answer of Gradio costs about half a millisecond for every output it could have changed. So the
question has three outputs, and the parts of the tab, thirty in all, are sent when something in them
would differ. The more pages ask, the less often each does: what they cost together stays bounded.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import gradio as gr

from mtlab.ui.errors import shown
from mtlab.ui.events import FOLLOWING, QUIET

PACES = (1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 24.0)
"""Seconds between two questions of a page: the first of these that keeps to `MOST_A_SECOND`."""

MOST_A_SECOND = 4.5
_FORGOTTEN_SECONDS = 60.0


class Crowd:
    """How many pages are open, and how often each may ask.

    Args:
        clock: tells the time, in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._heard: dict[str, float] = {}

    def pace(self, visitor: str) -> float:
        """Seconds until this page should ask again; it counts as open from now on."""
        now = self._clock()
        with self._lock:
            self._heard[visitor] = now
            gone = [one for one, at in self._heard.items() if now - at > _FORGOTTEN_SECONDS]
            for one in gone:
                del self._heard[one]
            count = len(self._heard)
        return next((pace for pace in PACES if count / pace <= MOST_A_SECOND), PACES[-1])


class Pulse:
    """The timer of a page, and the news it has had.

    Args:
        words: by the name of each part that is sent by itself: given the values of `inputs`, a word
            for what the part shows; another one as soon as anything in it would differ.
        inputs: components.
    """

    def __init__(self, words: Mapping[str, Callable[..., str]], inputs: list[Any]) -> None:
        self._words = words
        self._crowd = Crowd()
        self.timer = gr.Timer(PACES[0])
        self.news = {
            name: gr.Textbox("", label=f"News: {name}", elem_id=f"news-{name}", visible="hidden")
            for name in words
        }
        known = [self.timer, *self.news.values()]
        self.timer.tick(shown(self._ask), [*known, *inputs], known, queue=False, **QUIET)

    def wire(
        self, name: str, look: Callable[..., Any], inputs: list[Any], outputs: list[Any]
    ) -> None:
        """Have the page look at a part whenever there is news of it."""
        self.news[name].change(shown(look), inputs, outputs, queue=False, **FOLLOWING)

    def _ask(self, request: gr.Request, pace: float, *values: Any) -> list[Any]:
        told, given = values[: len(self.news)], values[len(self.news) :]
        wanted = self._crowd.pace(str(request.session_hash))
        now = [word(*given) for word in self._words.values()]
        return [
            gr.Timer(wanted) if wanted != pace else gr.skip(),
            *(new if new != old else gr.skip() for new, old in zip(now, told, strict=True)),
        ]

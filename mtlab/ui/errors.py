"""The lab's errors as the page shows them: one sentence, never a traceback."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import gradio as gr

from mtlab.errors import MtlabError
from mtlab.ui.markup import escape

_log = logging.getLogger(__name__)
_END = object()
Handler = TypeVar("Handler", bound=Callable[..., Any])


def shown(handler: Handler) -> Handler:
    """A handler whose errors appear on the page.

    An `MtlabError` shows its sentence. Anything else is a fault of ours: the page says that it
    happened and where it is written down, and the log keeps the traceback.
    """
    # Gradio shows an error's text as HTML, and it may quote what a person gave.
    return _guarded(handler, escape)


def told(handler: Handler) -> Handler:
    """`shown` for a handler that programs call: its sentence comes as plain text."""
    return _guarded(handler, str)


def _guarded(handler: Handler, written: Callable[[str], str]) -> Handler:
    @functools.wraps(handler)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        try:
            return handler(*args, **kwargs)
        except MtlabError as error:
            text = written(str(error))
            raise gr.Error(text, title="This cannot be done", print_exception=False) from None
        except gr.Error:
            raise
        except Exception:  # noqa: BLE001 - a visitor is told in a sentence, the log has the rest
            _log.exception("a handler failed")
            raise gr.Error(
                "Something went wrong inside the lab; the app's log has the details.",
                print_exception=False,
            ) from None

    return guarded  # type: ignore[return-value]


def shown_stream(handler: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
    """`shown` for a handler that yields: its errors come while it is read."""

    @functools.wraps(handler)
    def guarded(*args: Any, **kwargs: Any) -> Iterator[Any]:
        stream = handler(*args, **kwargs)
        following: Callable[[], Any] = shown(lambda: next(stream, _END))
        while (value := following()) is not _END:
            yield value

    return guarded

"""The lab's errors as the page shows them: one sentence, never a traceback."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Any, TypeVar

import gradio as gr

from mtlab.errors import MtlabError
from mtlab.ui.markup import escape

_log = logging.getLogger(__name__)
Handler = TypeVar("Handler", bound=Callable[..., Any])


def shown(handler: Handler) -> Handler:
    """A handler whose errors appear on the page.

    An `MtlabError` shows its sentence. Anything else is a fault of ours: the page says that it
    happened and where it is written down, and the log keeps the traceback.
    """

    @functools.wraps(handler)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        try:
            return handler(*args, **kwargs)
        except MtlabError as error:
            # Gradio shows an error's text as HTML, and it may quote what a person gave.
            text = escape(str(error))
            raise gr.Error(text, title="This cannot be done", print_exception=False) from None
        except gr.Error:
            raise
        except Exception:
            _log.exception("a handler failed")
            raise gr.Error(
                "Something went wrong inside the lab; the app's log has the details.",
                print_exception=False,
            ) from None

    return guarded  # type: ignore[return-value]

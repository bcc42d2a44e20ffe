"""Which components are shown, told to the style sheet by what is written on the page.

A component's `visible`, set by a handler while its tab was being opened, has been seen to get lost
in Gradio; a value has not. `assets/app.css` hides what is not named.
"""

from __future__ import annotations

from collections.abc import Iterable


def reveal(ids: Iterable[str]) -> str:
    """HTML, never seen itself, that shows the components of these element ids."""
    return f'<i hidden data-shows="{" ".join(ids)}"></i>'

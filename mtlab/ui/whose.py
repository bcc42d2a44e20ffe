"""Who is signed in, at the top of the page, and the way to sign in."""

from __future__ import annotations

from typing import Any

import gradio as gr

from mtlab.access import GuardedLab
from mtlab.access.people import FromHub
from mtlab.lab import Lab
from mtlab.settings import ASSETS


def signing_in(lab: Lab) -> None:
    """Add it to the page that is being built; a lab that asks nobody shows nothing."""
    people = lab.gate.people if isinstance(lab, GuardedLab) else None
    if people is None or people.kind == "everyone":
        return
    if isinstance(people, FromHub):
        if people.can_sign_in:
            gr.LoginButton(size="sm", elem_id="sign-in")
        return
    options: dict[str, Any] = {"elem_id": "sign-in", "apply_default_css": False}
    # Opened beside the page, so that a form that is being filled in stays as it is.
    gr.HTML(
        '<p class="quiet"><span data-who>You look and translate as a visitor.</span> '
        '<a href="login" target="_blank" rel="noopener" style="text-decoration: underline">'
        "Sign in</a></p>",
        js_on_load=(ASSETS / "sign_in.js").read_text(encoding="utf-8"),
        **options,
    )

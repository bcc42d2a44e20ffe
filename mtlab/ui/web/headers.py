"""The headers of every answer: what a browser may do with the page, and who may frame it."""

from __future__ import annotations

from collections.abc import Sequence

FRAMED_BY_SPACES = ("https://huggingface.co", "https://*.huggingface.co", "https://*.hf.space")
"""A Space is shown inside a frame of these."""


def security_headers(framed_by: Sequence[str] = ()) -> tuple[tuple[bytes, bytes], ...]:
    """The headers, in Starlette's form.

    Gradio's page starts from inline scripts and makes functions out of text (a component's
    `js_on_load`), so that neither can be forbidden; what is loaded, sent to or framed can. The page
    loads everything from its own server.

    Args:
        framed_by: who may show the page in a frame, beside itself.
    """
    frames = " ".join(("'self'", *framed_by))
    policy = "; ".join(
        (
            "default-src 'self'",
            "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "media-src 'self' data: blob:",
            "connect-src 'self' data: blob:",
            "worker-src 'self' blob:",
            "frame-src 'self'",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            f"frame-ancestors {frames}",
        )
    )
    headers = {
        "content-security-policy": policy,
        "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin",
        "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        "cross-origin-opener-policy": "same-origin",
    }
    if framed_by:  # an older header that knows no list; and a framed page keeps its opener
        del headers["cross-origin-opener-policy"]
    else:
        headers["x-frame-options"] = "SAMEORIGIN"
    return tuple((name.encode(), value.encode()) for name, value in headers.items())

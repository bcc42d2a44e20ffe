"""What every request passes before it reaches the page: an ASGI middleware.

It refuses other origins and names, bodies that are too large, uploads by those who may not launch
or bring too much, and two of Gradio's own addresses that the lab has no use for; and it puts the
security headers on every answer.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import Request

from mtlab.access.people import People
from mtlab.access.rate import Pace
from mtlab.errors import MtlabError, NotAvailable
from mtlab.ui.web.origins import Origins

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

LARGEST_BODY = 16_000_000
"""Bytes of a request that is no upload: the largest call of the API, and then some."""

UPLOADS_AT_ONCE = 4
"""So many of the largest files may one person bring in ten minutes."""

_UPLOAD = "/gradio_api/upload"
# The first writes a file for everybody who asks; the second signs Gradio's own sessions out.
_CLOSED = ("/gradio_api/deep_link", "/gradio_api/runs")
_UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class Doorway:
    """The middleware.

    Args:
        app: what stands behind it.
        people: tells who is asking.
        origins: the names of the lab.
        headers: for every answer.
        largest_upload: bytes.
        may_keep: raises a `MtlabError` where the disk has no room.
    """

    def __init__(
        self,
        app: Any,
        people: People,
        origins: Origins,
        headers: Sequence[tuple[bytes, bytes]],
        largest_upload: int,
        may_keep: Callable[[], None],
    ) -> None:
        self._app = app
        self._people = people
        self._origins = origins
        self._headers = headers
        self._largest_upload = largest_upload
        self._may_keep = may_keep
        self._pace = Pace(UPLOADS_AT_ONCE * max(1, largest_upload), 600, "bytes")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        problem = self._origins.refuses(
            headers.get("host", ""), headers.get("origin"), _site(scope, headers)
        )
        if scope["type"] != "http":  # a websocket
            if problem:
                await send({"type": "websocket.close", "code": 1008})
                return
            await self._app(scope, receive, send)
            return
        send = self._with_headers(send)
        if problem:
            await _refuse(send, 403, problem)
            return
        path = str(scope["path"]).rstrip("/")
        if path.startswith(_CLOSED):
            await _refuse(send, 404, "There is nothing here.")
            return
        limit = LARGEST_BODY
        if path == _UPLOAD:
            limit = self._largest_upload + LARGEST_BODY // 16  # what is around the file
            refusal = await self._refused_upload(scope, headers)
            if refusal is not None:
                await _refuse(send, *refusal)
                return
        await self._limited(scope, receive, send, headers, limit)

    async def _refused_upload(self, scope: Scope, headers: Headers) -> tuple[int, str] | None:
        person = self._people.who(Request(scope))
        if not person.may_launch:
            return 403, f"Files are brought by those who may launch: {self._people.how}."
        length = headers.get("content-length", "")
        if not length.isdecimal():
            return 411, "The upload does not say how long it is."
        try:
            await run_in_threadpool(self._may_keep)
            self._pace.take(person.name, min(int(length), self._largest_upload))
        except NotAvailable as error:
            return 429, str(error)
        except MtlabError as error:
            return 403, str(error)
        return None

    async def _limited(
        self, scope: Scope, receive: Receive, send: Send, headers: Headers, limit: int
    ) -> None:
        """Pass on a request whose body may have so many bytes."""
        length = headers.get("content-length", "0")
        too_large = f"That is more than the {limit / 1e6:,.0f} MB that may be sent."
        if not length.isdecimal() or int(length) > limit:
            await _refuse(send, 413, too_large)
            return
        read, begun = 0, False

        async def counted() -> MutableMapping[str, Any]:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            return message if read <= limit else {"type": "http.disconnect"}

        async def noted(message: MutableMapping[str, Any]) -> None:
            nonlocal begun
            if begun or read <= limit:
                begun = True
                await send(message)

        try:
            await self._app(scope, counted, noted)
        except Exception:
            if read <= limit:
                raise  # else it is what the end of the body made of it
        if read > limit and not begun:
            await _refuse(send, 413, too_large)

    def _with_headers(self, send: Send) -> Send:
        async def headed(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                own = {name for name, _ in self._headers}
                kept = [pair for pair in message.get("headers", []) if pair[0].lower() not in own]
                message = {**message, "headers": [*kept, *self._headers]}
            await send(message)

        return headed


def _site(scope: Scope, headers: Headers) -> str | None:
    """Where a request that changes something came from; a link from elsewhere may be followed."""
    unsafe = scope["type"] != "http" or scope["method"] in _UNSAFE
    return headers.get("sec-fetch-site") if unsafe else None


async def _refuse(send: Send, status: int, sentence: str) -> None:
    body = json.dumps({"detail": sentence}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})

"""The HTTP server in front of the stand-in of the hub."""

from __future__ import annotations

import http.server
import json
import urllib.parse
from typing import TYPE_CHECKING

from tests.hub_values import Request

if TYPE_CHECKING:
    from tests.hub_stand_in import HubStandIn


def handler_of(hub: HubStandIn) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            address = urllib.parse.urlsplit(self.path)
            scheme, _, token = self.headers.get("Authorization", "").partition(" ")
            answer = hub.answer(
                Request(
                    self.command,
                    urllib.parse.unquote(address.path),
                    urllib.parse.parse_qs(address.query),
                    self._body(),
                    token if scheme == "Bearer" and token else None,
                )
            )
            is_json = not isinstance(answer.body, bytes)
            data = json.dumps(answer.body).encode() if is_json else answer.body
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            kind = "application/json" if is_json else "application/octet-stream"
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data)

        def _body(self) -> bytes:
            if "chunked" not in self.headers.get("Transfer-Encoding", ""):
                return self.rfile.read(int(self.headers.get("Content-Length") or 0))
            parts = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)

        do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _answer

        def log_message(self, *args: object) -> None:
            pass

    return Handler

"""Pages without a browser: they ask the app what an open page asks, and many fit one machine.

A page of Gradio posts an event that is not queued to `run/predict`, which answers; any other to
`queue/join`, and reads what becomes of it from a stream of its session, `queue/data`. One more
request stands open for as long as the page does, `heartbeat`.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import httpx

_API = "/gradio_api"
_PARTS = {"news-runs": "run-list", "news-run": "run-state"}
"""What a page is told of, and an output of what it then asks for."""


class Refused(Exception):
    """The app answered with an error."""


@dataclass
class Page:
    """One open page, on its Runs tab.

    Attributes:
        client: speaks to the app.
        config: what the app says of its page.
        run: the run that is open on it; "" for none.
        news: what it was last told of each part.
        pace: seconds between two polls, as the app asks for.
    """

    client: httpx.AsyncClient
    config: dict[str, Any]
    run: str = ""
    session: str = field(default_factory=lambda: secrets.token_hex(5))
    news: dict[str, str] = field(default_factory=dict)
    pace: float = 1.5

    async def poll(self) -> float:
        """Ask for news and, where there are any, for what has changed.

        Returns:
            The seconds until all was answered.
        """
        began = time.monotonic()
        timer, *news = await self._ask(self._event("tick", "news-runs"))
        if isinstance(timer, dict):
            self.pace = timer.get("value", self.pace)
        for name, output, told in zip(
            ("runs", "run"), ("run-list", "run-state"), news, strict=True
        ):
            if isinstance(told, str):
                self.news[f"news-{name}"] = told
                await self._ask(self._event("change", output))
        return time.monotonic() - began

    async def call(self, name: str, *values: Any) -> float:
        """Call an endpoint by its name; returns the seconds until it was answered."""
        began = time.monotonic()
        event = next(one for one in self.config["dependencies"] if one["api_name"] == name)
        await self._send(event["id"], list(values), None)
        return time.monotonic() - began

    async def stand_open(self) -> None:
        """Hold the page's heartbeat until cancelled."""
        path = f"{_API}/heartbeat/{self.session}"
        async with self.client.stream("GET", path, timeout=None) as answer:
            async for _ in answer.aiter_bytes():
                pass

    def _event(self, kind: str, output: str) -> dict[str, Any]:
        """The event of this kind, of the timer or of news, that has this output."""
        names = self._names()
        own = (None, *_PARTS)
        return next(
            one
            for one in self.config["dependencies"]
            if output in map(names.get, one["outputs"])
            and any(how == kind and names.get(what) in own for what, how in one["targets"])
        )

    def _names(self) -> dict[int, str | None]:
        return {one["id"]: one["props"].get("elem_id") for one in self.config["components"]}

    async def _ask(self, event: dict[str, Any]) -> list[Any]:
        names = self._names()
        types = {one["id"]: one["type"] for one in self.config["components"]}
        known = {"run-opened": self.run, **self.news}
        values = [
            self.pace if types[one] == "timer" else known.get(names[one]) for one in event["inputs"]
        ]
        return await self._send(event["id"], values, event["targets"][0][0])

    async def _send(self, event: int, values: list[Any], trigger: int | None) -> list[Any]:
        body = {
            "data": values, "event_data": None, "fn_index": event, "trigger_id": trigger,
            "session_hash": self.session,
        }  # fmt: skip
        if not self._queued(event):
            answer = await self.client.post(f"{_API}/run/predict", json=body)
            answer.raise_for_status()
            return list(answer.json()["data"])
        asked = await self.client.post(f"{_API}/queue/join", json=body)
        asked.raise_for_status()
        mine = asked.json()["event_id"]
        path = f"{_API}/queue/data?session_hash={self.session}"
        async with self.client.stream("GET", path) as stream:
            async for message in _messages(stream):
                if message.get("event_id") == mine and message["msg"] == "process_completed":
                    if not message["success"]:
                        raise Refused(str(message["output"].get("error")))
                    return list(message["output"]["data"])
        raise Refused("the stream ended without an answer")

    def _queued(self, event: int) -> bool:
        found = next(one for one in self.config["dependencies"] if one["id"] == event)
        return found.get("queue") is not False


@asynccontextmanager
async def opened(address: str, run: str = "") -> AsyncIterator[Page]:
    """A page that is loaded and stands open."""
    async with httpx.AsyncClient(base_url=address, timeout=60) as client:
        (await client.get("/")).raise_for_status()
        config = (await client.get("/config")).json()
        page = Page(client, config, run)
        standing = asyncio.create_task(page.stand_open())
        try:
            yield page
        finally:
            standing.cancel()
            with suppress(asyncio.CancelledError, httpx.HTTPError):
                await standing


async def _messages(stream: httpx.Response) -> AsyncIterator[dict[str, Any]]:
    async for line in stream.aiter_lines():
        if line.startswith("data:"):
            yield json.loads(line[5:])

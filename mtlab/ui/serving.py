"""The server: where the page is served, how, and to whom."""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gradio.context import LocalContext
from gradio.utils import get_upload_folder
from starlette.middleware import Middleware

from mtlab.access import Gate, GuardedLab
from mtlab.access.limits import check_disk
from mtlab.access.passwords import AuthFile
from mtlab.access.people import Everyone, FromFile, FromHub, People
from mtlab.backup import keeper_for
from mtlab.errors import InputError, MtlabError, NotAvailable
from mtlab.lab import Lab
from mtlab.settings import ASSETS, Settings
from mtlab.spaces.zero import prepare
from mtlab.ui.page import build
from mtlab.ui.theme import STYLES, theme
from mtlab.ui.web.doorway import Doorway
from mtlab.ui.web.headers import FRAMED_BY_SPACES, security_headers
from mtlab.ui.web.origins import Origins, is_loopback
from mtlab.ui.web.sign_in import sign_in_routes

_SESSIONS = 1000  # pages whose state is kept; what a stranger may open without end is not free
# Plotly's patterns and clippings are references within the page. With Gradio's `<base>` they hold
# the whole address, and are lost when the address is rewritten (`mtlab.ui.addressing`).
_REFERENCES_WITHIN_THE_PAGE = """
() => document.querySelector('base[href="./"]')?.removeAttribute("href")
"""
_OPEN_TO_ALL = """
  ======================================================================
  WARNING: this lab listens on {host} and asks nobody who they are.
  Whoever reaches it can start runs on this machine, and stop and delete
  all of them. Let people sign in:
      mtlab auth add NAME --auth-file people.txt
      python app.py --auth-file people.txt
  or leave HOST out, so that only this machine reaches the lab.
  ======================================================================
"""


@dataclass(frozen=True)
class Place:
    """Where the page is served.

    Attributes:
        host: what the server is bound to.
        port: its port.
        space: the name of the Space it is; None elsewhere.
    """

    host: str
    port: int
    space: str | None = None

    @classmethod
    def from_environment(cls) -> Place:
        """`HOST`:`PORT` (default 127.0.0.1:7860); on Spaces the host and port that it sets."""
        space = os.environ.get("SPACE_ID")
        host = os.environ.get("HOST") or ("0.0.0.0" if space else "127.0.0.1")
        text = os.environ.get("PORT") or os.environ.get("GRADIO_SERVER_PORT") or "7860"
        if not text.isdecimal() or not 0 < int(text) < 65536:
            raise InputError(f"'{text}' is no port", field="PORT", fix="give 1 to 65535")
        return cls(host, int(text), space)


def main(arguments: Sequence[str] | None = None) -> int:
    """`python app.py`: serve until it is ended; returns the exit status."""
    parser = argparse.ArgumentParser(prog="app.py", description="The lab in the browser")
    parser.add_argument(
        "--auth-file", metavar="FILE", type=Path,
        help="who may launch, stop and delete; 'mtlab auth add NAME' writes it",
    )  # fmt: skip
    parser.add_argument("--host", help="what to listen on; HOST, or 127.0.0.1, when not given")
    parser.add_argument("--port", type=int, help="PORT, or 7860, when not given")
    args = parser.parse_args(arguments)
    try:
        settings = Settings.from_environment()
        if args.auth_file:
            file = args.auth_file.expanduser().absolute()
            settings = replace(settings, door=replace(settings.door, auth_file=file))
        place = Place.from_environment()
        place = replace(place, host=args.host or place.host, port=args.port or place.port)
        serve(settings, place)
    except MtlabError as error:
        print(f"mtlab: {error}", file=sys.stderr)
        return 2 if isinstance(error, InputError) else 1
    return 0


def serve(settings: Settings | None = None, place: Place | None = None, **options: Any) -> Any:
    """Build the page and serve it. The runs go on when this ends.

    Args:
        settings: the lab's; from the environment when not given.
        place: where; likewise.
        options: others of Gradio's `launch`.

    Raises:
        MtlabError: the auth file cannot be used, or the home cannot be written.
    """
    settings = settings or Settings.from_environment()
    place = place or Place.from_environment()
    people = people_of(settings, place)
    lab = lab_for(settings, place, people)
    prepare(settings)
    if (keeper := keeper_for(settings)) is not None:
        keeper.start()  # before anything is launched
    lab.supervise()
    if people.kind == "everyone" and not is_loopback(place.host):
        print(_OPEN_TO_ALL.format(host=place.host), file=sys.stderr, flush=True)
    launching: dict[str, Any] = {
        "server_name": place.host,
        "server_port": place.port,
        "share": False,  # whatever GRADIO_SHARE says: a tunnel is a door of its own
        "theme": theme(),
        "css_paths": STYLES,
        "js": _REFERENCES_WITHIN_THE_PAGE,
        "favicon_path": ASSETS / "logo.svg",
        "allowed_paths": [],
        "max_file_size": f"{settings.max_upload_mb}mb",
        "footer_links": ["api", "gradio", "settings"],
        "mcp_server": _offers_mcp(settings),
        "enable_monitoring": False,
        "state_session_capacity": _SESSIONS,
        "strict_cors": True,
        "show_error": True,
        "app_kwargs": _web(lab, people, place),
    }
    return build(lab).launch(**{**launching, **options})


def people_of(settings: Settings, place: Place) -> People:
    """Who is told apart here.

    Raises:
        MtlabError: the auth file is not there, or is none.
    """
    if settings.door.auth_file is not None:
        file = AuthFile(settings.door.auth_file)
        file.accounts()
        return FromFile(file, settings.door)
    if place.space is not None:
        author = os.environ.get("SPACE_AUTHOR_NAME")
        return FromHub(settings.door, author, can_sign_in="OAUTH_CLIENT_ID" in os.environ)
    return Everyone()


def lab_for(settings: Settings, place: Place, people: People) -> Lab:
    """The lab that the page is built over: behind the gate, unless only this machine reaches it
    and nobody is told apart.
    """
    if people.kind == "everyone" and is_loopback(place.host):
        return Lab(settings)
    gate = Gate(people, lambda: LocalContext.request.get(None))
    return GuardedLab(settings, gate, Path(get_upload_folder()))


def _web(lab: Lab, people: People, place: Place) -> dict[str, Any]:
    """What stands before the page, as arguments of the web application."""
    settings = lab.settings
    hosts = {*settings.door.hosts}
    if space_host := os.environ.get("SPACE_HOST"):
        hosts |= {name.strip().lower() for name in space_host.split(",")} if hosts else set()
    doorway = Middleware(
        Doorway,
        people=people,
        origins=Origins.of(place.host, hosts),
        headers=security_headers(FRAMED_BY_SPACES if place.space else ()),
        largest_upload=settings.max_upload_mb * 1_000_000,
        may_keep=lambda: check_disk(settings),
    )
    return {"middleware": [doorway], "routes": sign_in_routes(people)}


def _offers_mcp(settings: Settings) -> bool:
    """Whether the API is offered as MCP tools too: if that is asked for, and can be had."""
    if settings.mcp and importlib.util.find_spec("mcp") is None:
        problem = NotAvailable(
            "the MCP tools are not offered",
            why="MTLAB_MCP is set, and the package mcp is not installed",
            fix="pip install 'mcp>=1.21,<2', then start the lab again",
        )
        print(problem, file=sys.stderr)
        return False
    return settings.mcp

"""Signing in with a name and a password of the auth file: `/login`, `/logout` and `/whoami`.

The form is a page of its own, opened beside the lab's, so that what is filled in there stays. A
program posts `username` and `password` to `/login` and keeps the cookie, as `gradio_client` does
with `auth=`.
"""

from __future__ import annotations

import html
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from mtlab.access.people import COOKIE, FromFile, People
from mtlab.access.rate import Pace
from mtlab.access.sessions import HOURS
from mtlab.errors import MtlabError, NotAvailable

_LONGEST = 4096  # bytes of a form with a name and a password
_WRONG = "There is nobody with that name and password."
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>mtlab: sign in</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 22rem; margin: 12vh auto; padding: 0 1rem;
  color: #1f2937; background: #fff }}
label {{ display: block; margin: .8rem 0 }}
input {{ display: block; width: 100%; box-sizing: border-box; font: inherit; padding: .5rem;
  border: 1px solid #6b7280; border-radius: .4rem; color: inherit; background: inherit }}
button {{ font: inherit; padding: .5rem 1.2rem; border: 0; border-radius: .4rem; color: #fff;
  background: #0072b2 }}
a {{ color: #0072b2 }} [role=alert] {{ color: #b42318 }}
@media (prefers-color-scheme: dark) {{ body {{ color: #e5e7eb; background: #111827 }}
  a {{ color: #56b4e9 }} [role=alert] {{ color: #fda29b }} }}
</style></head><body><main><h1>mtlab</h1>{body}</main></body></html>
"""
_FORM = """{problem}<form method="post" action="login">
<label>Name <input name="username" autocomplete="username" required autofocus></label>
<label>Password <input name="password" type="password" autocomplete="current-password" required>
</label><button>Sign in</button></form>
<p>Without signing in you can look at everything and translate. <a href="./">To the lab</a></p>
"""
_DONE = """<p>You are signed in as <b>{name}</b>. Close this page to go on where you were, or
<a href="./">open the lab</a>.</p>
<form method="post" action="logout"><button>Sign out</button></form>
"""


def sign_in_routes(people: People) -> list[Route]:
    """The addresses; of a lab without an auth file only the one that tells who is asking."""
    routes = [Route("/whoami", _whoami(people), methods=["GET"])]
    if isinstance(people, FromFile):
        desk = SignIn(people)
        routes += [
            Route("/login", desk.form, methods=["GET"]),
            Route("/login", desk.sign_in, methods=["POST"]),
            Route("/logout", desk.sign_out, methods=["POST"]),
        ]
    return routes


def _whoami(people: People) -> Any:
    async def whoami(request: Request) -> Response:
        person = await run_in_threadpool(people.who, request)
        told = {"name": person.name, "may_launch": person.may_launch, "is_admin": person.is_admin}
        return JSONResponse(told, headers={"cache-control": "no-store"})

    return whoami


class SignIn:
    """The pages of signing in.

    Args:
        people: those of the auth file.
    """

    def __init__(self, people: FromFile) -> None:
        self._people = people
        self._of_name = Pace(10, 300, "tries")
        self._of_address = Pace(60, 300, "tries")

    async def form(self, request: Request) -> Response:
        """The form, or who one is."""
        person = await run_in_threadpool(self._people.who, request)
        body = _DONE.format(name=html.escape(person.name)) if person.name else _form("")
        return _page(body)

    async def sign_in(self, request: Request) -> Response:
        """Check a name and a password; a browser is answered with a page, a program with JSON."""
        as_page = "text/html" in request.headers.get("accept", "")
        name, password = await _given(request)
        try:
            address = request.client.host if request.client else ""
            self._of_address.take(address)
            # Of that address alone: nobody can lock somebody else out by guessing at their name.
            self._of_name.take(f"{address} {name}")
            account = await run_in_threadpool(self._people.file.signs_in, name, password)
        except MtlabError as error:
            status = 429 if isinstance(error, NotAvailable) else 503
            return _refused(str(error), status, as_page=as_page)
        if account is None:
            return _refused(_WRONG, 401, as_page=as_page)
        response: Response = (
            _page(_DONE.format(name=html.escape(account.name)))
            if as_page
            else JSONResponse({"success": True})
        )
        self._people.sessions.end(request.cookies.get(COOKIE))
        response.set_cookie(
            COOKIE,
            self._people.sessions.begin(account.name),
            max_age=HOURS * 3600,
            httponly=True,
            samesite="lax",
            secure=request.url.scheme == "https",
        )
        return response

    async def sign_out(self, request: Request) -> Response:
        """End the session."""
        self._people.sessions.end(request.cookies.get(COOKIE))
        response = RedirectResponse("login", status_code=303)
        response.delete_cookie(COOKIE, httponly=True, samesite="lax")
        return response


async def _given(request: Request) -> tuple[str, str]:
    """The name and the password of a form; empty where there are none, or far too long ones."""
    length = request.headers.get("content-length", "")
    if not length.isdecimal() or int(length) > _LONGEST:
        return "", ""
    async with request.form(max_files=0, max_fields=8) as form:
        name, password = form.get("username"), form.get("password")
    is_text = isinstance(name, str) and isinstance(password, str)
    return (str(name).strip(), str(password)) if is_text else ("", "")


def _form(problem: str) -> str:
    said = f'<p role="alert">{html.escape(problem)}</p>' if problem else ""
    return _FORM.format(problem=said)


def _page(body: str, status: int = 200) -> HTMLResponse:
    return HTMLResponse(_PAGE.format(body=body), status, headers={"cache-control": "no-store"})


def _refused(sentence: str, status: int, *, as_page: bool) -> Response:
    if as_page:
        return _page(_form(sentence), status)
    return JSONResponse({"detail": sentence}, status)

"""What every request passes, without Gradio behind it."""

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from mtlab.access.people import VISITOR, Everyone, Person
from mtlab.errors import NotAvailable
from mtlab.ui.web import doorway
from mtlab.ui.web.doorway import Doorway
from mtlab.ui.web.headers import FRAMED_BY_SPACES, security_headers
from mtlab.ui.web.origins import Origins, is_loopback

PAGE = "http://127.0.0.1:7860"


class People:
    kind, how = "file", "sign in"
    now = Person("alice", may_launch=True)

    def who(self, request):
        assert isinstance(request, Request)
        return self.now


async def echo(request):
    body = await request.body()
    return PlainTextResponse(f"{len(body)}", headers={"x-frame-options": "ALLOWALL"})


def client_of(people=None, *, bound_to="127.0.0.1", hosts=(), framed_by=(), may_keep=lambda: None):
    methods = ["GET", "POST"]
    app = Starlette(routes=[Route("/{path:path}", echo, methods=methods)])
    shown = Doorway(
        app, people or Everyone(), Origins.of(bound_to, hosts), security_headers(framed_by),
        1_000_000, may_keep,
    )  # fmt: skip
    return TestClient(shown, base_url=PAGE)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"origin": PAGE}, 200),
        ({"origin": PAGE, "sec-fetch-site": "same-origin"}, 200),
        ({"sec-fetch-site": "none"}, 200),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "http://127.0.0.1:9999"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": ""}, 403),
        ({"origin": "http://[::1"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"host": "evil.example"}, 403),
        ({"host": "evil.example:7860", "origin": "http://evil.example:7860"}, 403),
        ({"host": "127.0.0.1.evil.example"}, 403),
        ({"host": "localhost:1234"}, 200),
        ({"host": "[::1]:7860"}, 200),
        ({"host": ""}, 403),
    ],
)
def test_another_page_is_refused_with_or_without_a_cookie(headers, status):
    answer = client_of().post("/x", headers=headers)
    assert answer.status_code == status
    if status == 403:
        assert answer.json()["detail"].startswith("This lab")


def test_a_link_from_elsewhere_may_be_followed():
    assert client_of().get("/", headers={"sec-fetch-site": "cross-site"}).status_code == 200


def test_a_proxy_is_named():
    client = client_of(bound_to="0.0.0.0", hosts=("lab.example.org",))
    good = {"host": "lab.example.org", "origin": "https://lab.example.org"}
    assert client.post("/x", headers=good).status_code == 200
    inside = {"host": "127.0.0.1:7860", "origin": "https://lab.example.org"}
    assert client.post("/x", headers=inside).status_code == 200
    assert client.post("/x", headers={"host": "other.example.org"}).status_code == 403
    anywhere = client_of(bound_to="0.0.0.0")
    assert anywhere.post("/x", headers={"host": "other.example.org"}).status_code == 200


def test_what_is_this_machine_alone():
    assert all(map(is_loopback, ("127.0.0.1", "127.8.8.8", "localhost", "::1", "[::1]")))
    assert not any(map(is_loopback, ("0.0.0.0", "::", "192.168.1.2", "lab.example.org", "")))


def test_every_answer_carries_the_headers():
    for answer in (client_of().get("/"), client_of().post("/", headers={"origin": "null"})):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert answer.headers["x-frame-options"] == "SAMEORIGIN"
        policy = answer.headers["content-security-policy"]
        assert "frame-ancestors 'self'" in policy and "object-src 'none'" in policy
        assert "*" not in policy and "http" not in policy
    space = client_of(framed_by=FRAMED_BY_SPACES).get("/").headers
    assert "frame-ancestors 'self' https://huggingface.co" in space["content-security-policy"]
    assert "cross-origin-opener-policy" not in space


def test_a_body_has_a_limit_told_or_not(monkeypatch):
    monkeypatch.setattr(doorway, "LARGEST_BODY", 1000)
    client = client_of()
    assert client.post("/x", content=b"x" * 1000).text == "1000"
    assert client.post("/x", content=b"x" * 1001).status_code == 413
    assert client.post("/x", content=(b"x" * 100 for _ in range(10))).text == "1000"
    assert client.post("/x", content=(b"x" * 100 for _ in range(11))).status_code == 413
    assert client.post("/x", headers={"content-length": "-1"}).status_code == 413


def test_files_are_brought_by_those_who_may_launch_and_within_limits(monkeypatch):
    people = People()
    client = client_of(people)
    upload = "/gradio_api/upload"
    assert client.post(upload, content=b"x" * 1000).status_code == 200
    for path in (upload, f"{upload}/"):
        people.now = VISITOR
        assert client.post(path, content=b"x").status_code == 403
        assert client.post(path, content=b"x").json()["detail"].endswith("sign in.")
    people.now = Person("alice", may_launch=True)
    assert client.post(upload, content=iter([b"x"])).status_code == 411
    assert client.post(upload, content=b"x" * 2_100_000).status_code == 413
    statuses = [client.post(upload, content=b"x" * 900_000).status_code for _ in range(5)]
    assert statuses[-1] == 429 and statuses[0] == 200
    people.now = Person("bob", may_launch=True)
    assert client.post(upload, content=b"x" * 900_000).status_code == 200

    def full():
        raise NotAvailable("the lab's disk has 1 MB left")

    answer = client_of(people, may_keep=full).post(upload, content=b"x")
    assert answer.status_code == 429 and answer.json()["detail"] == "the lab's disk has 1 MB left."


def test_what_gradio_offers_and_the_lab_does_not_is_closed():
    for path in ("/gradio_api/deep_link", "/gradio_api/deep_link/", "/gradio_api/runs"):
        assert client_of().get(path).status_code == 404

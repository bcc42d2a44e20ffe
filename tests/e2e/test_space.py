"""A lab as a Space: Hugging Face says who somebody is, the allow-list what they may."""

import httpx
import pytest

from tests.browser import served_lab
from tests.space_sessions import SECRET, SPACE, session

VARIABLES = {
    **SPACE,
    "MTLAB_ALLOW": "alice",
    "MTLAB_DEVICES": "cuda:7",  # there is none, so that what is launched waits
}
SPEC = {"size": 8, "train": ["de-en"], "test_limit": 4, "metrics": ["bleu"]}


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    with served_lab(tmp_path_factory.mktemp("space") / "home", variables=VARIABLES) as where:
        yield where


def launched(address, headers):
    with httpx.Client(base_url=address, headers=headers, timeout=60) as client:
        who = client.get("/whoami").json()
        event = client.post("/gradio_api/call/launch", json={"data": [SPEC]}).json()["event_id"]
        text = client.get(f"/gradio_api/call/launch/{event}").text
    return who, "event: complete" in text, text


def test_those_on_the_list_and_the_owner_launch(address):
    for name, is_admin in (("alice", False), ("owner", True)):
        who, done, _ = launched(address, session(name))
        assert who == {"name": name, "may_launch": True, "is_admin": is_admin} and done


def test_everyone_else_looks(address):
    who, done, text = launched(address, session("bob"))
    assert who["name"] == "bob" and not done
    assert "'bob' may look and translate, and not launch" in text and "MTLAB_ALLOW" in text
    for stranger in ({}, session("alice", "another secret"), session("alice", ends=-1),
                     {"cookie": "session=alice"}):  # fmt: skip
        who, done, text = launched(address, stranger)
        assert who["name"] == "" and not done and "you have not: sign in with Hugging" in text


def test_the_page_offers_the_login_and_is_framed_by_spaces_alone(address):
    answer = httpx.get(address)
    assert "Sign in with Hugging Face" in answer.text
    policy = answer.headers["content-security-policy"]
    assert "frame-ancestors 'self' https://huggingface.co" in policy
    assert "x-frame-options" not in answer.headers


def test_nothing_of_the_session_is_told(address):
    answer = httpx.get(f"{address}/config", headers=session("alice"))
    assert answer.status_code == 200 and SECRET not in answer.text

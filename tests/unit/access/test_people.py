import time
from types import SimpleNamespace

import pytest

from mtlab.access.passwords import AuthFile
from mtlab.access.people import COOKIE, VISITOR, Everyone, FromFile, FromHub, Person
from mtlab.access.sessions import Sessions
from mtlab.settings import Door


def request(cookie=None, session=None, **more):
    """What Starlette gives; Gradio's own wraps it."""
    cookies = {} if cookie is None else {COOKIE: cookie}
    inner = SimpleNamespace(cookies=cookies, scope={"session": session}, **more)
    return SimpleNamespace(request=inner, username="root")


def test_of_an_auth_file_the_session_alone_says_who_it_is(tmp_path):
    file = AuthFile(tmp_path / "people.txt")
    file.add("alice", "long enough")
    file.add("root", "long enough", "admin")
    people = FromFile(file, Door(admins=("alice",)))
    word = people.sessions.begin("alice")
    assert people.who(request(word)) == Person("alice", may_launch=True, is_admin=True)
    assert people.who(request(word).request).name == "alice"
    assert people.who(request(people.sessions.begin("root"))).is_admin
    for stranger in (request(), request("alice"), request(word[:-1]), request(""), None, object()):
        assert people.who(stranger) == VISITOR
    file.remove("alice")
    assert people.who(request(word)) == VISITOR, "who was taken out is out at once"
    people.sessions.end(word)
    file.path.unlink()
    assert people.who(request(people.sessions.begin("root"))) == VISITOR


def test_a_session_ends_by_itself_and_when_it_is_ended():
    now = [0.0]
    sessions = Sessions(60, lambda: now[0])
    first, second = sessions.begin("alice"), sessions.begin("alice")
    assert first != second and len(first) >= 43
    assert first not in str(vars(sessions)), "the word itself is kept nowhere"
    sessions.end(first)
    assert sessions.name(first) is None and sessions.name(second) == "alice"
    now[0] = 60.0
    assert sessions.name(second) is None
    assert sessions.name(None) is None and sessions.name("\ud800") is None


def signed_in(name, **more):
    info = {"userinfo": {"preferred_username": name}, "expires_at": time.time() + 60, **more}
    return request(session={"oauth_info": info})


@pytest.mark.parametrize(
    ("allow", "name", "may_launch"),
    [
        ((), "alice", False),
        (("Alice",), "alice", True),
        (("*",), "bob", True),
        (("bob",), "alice", 0),
    ],
)  # fmt: skip
def test_on_spaces_the_allow_list_says_who_may_launch(allow, name, may_launch):
    people = FromHub(Door(allow=allow), author="owner")
    assert people.who(signed_in(name)) == Person(name, may_launch=may_launch)
    assert people.who(signed_in("Owner")) == Person("Owner", may_launch=True, is_admin=True)


def test_on_spaces_who_is_not_signed_in_is_a_visitor():
    people = FromHub(Door(allow=("*",), admins=("root",)))
    assert people.who(signed_in("root")).is_admin
    strangers = [
        request(), request(session={}), request(session={"oauth_info": None}),
        request(session={"oauth_info": "root"}), signed_in("root", expires_at=time.time() - 1),
        signed_in("root", expires_at=None), signed_in(None), signed_in(["root"]),
        signed_in("root", userinfo="root"), None,
    ]  # fmt: skip
    assert [people.who(one) for one in strangers] == [VISITOR] * len(strangers)


def test_without_a_login_everyone_is_free():
    assert Everyone().who(None) == Person(may_launch=True, is_admin=True)

"""What the hub would not take is said in one sentence, before anything is pushed."""

import pytest

from mtlab.errors import InputError, MtlabError, NotAvailable
from mtlab.settings import Settings
from mtlab.sharing.pushing import check_name, check_place
from tests.hub_stand_in import nobody_answers

RUN = "20260101-000000-abcd"


@pytest.fixture
def ask(hub, monkeypatch):
    """Ask about a name with a token; gives the place or the error, and holds what must hold."""

    def asked(name, token, visibility="public"):
        hub.patch(monkeypatch, token)
        try:
            found = check_place(name, RUN, visibility, Settings.from_environment())
        except MtlabError as error:
            found = error
            assert token is None or token not in str(error)
            assert "\n" not in str(error) and error.fix
        assert hub.changes == []
        return found

    return asked


def test_a_free_name_of_ones_own_may_be_pushed_to(hub, ask):
    assert ask("ann/new", hub.person("ann")).name == "ann/new"
    assert ask("lab/new", hub.person("ann", orgs=("lab",))).name == "lab/new"
    assert ask("ann/new", hub.person("ann", "fineGrained", scopes=("ann",))).name == "ann/new"


def test_without_a_token_the_hub_is_not_asked(hub, ask):
    error = ask("ann/new", None)
    assert isinstance(error, InputError) and "there is no token for the hub" in str(error)
    assert hub.requests == []


@pytest.mark.parametrize(
    ("name", "person", "said"),
    [
        ("ann/new", {"role": "read"}, "it may only read"),
        ("bob/new", {}, "it is of 'ann', who is not in 'bob'"),
        ("lab/new", {"role": "fineGrained", "orgs": ("lab",), "scopes": ("ann",)}, "in 'lab'"),
    ],
)
def test_a_token_that_may_not_write_there(hub, ask, name, person, said):
    error = ask(name, hub.person("ann", **person))
    assert isinstance(error, InputError) and error.field == "HF_TOKEN"
    assert "this token may not write to" in str(error) and said in str(error)


def test_a_token_the_hub_does_not_know(ask):
    error = ask("ann/new", "hf_" + "x" * 34)
    assert isinstance(error, InputError) and "does not know this token" in str(error)


def test_a_name_that_holds_something_else_is_taken(hub, ask):
    hub.add("ann/mine", files={"model.safetensors": b"other"})
    hub.add("ann/run", files={"mtlab/provenance.json": b'{"run": "20260101-000000-ffff"}'})
    token = hub.person("ann")
    for name in ("ann/mine", "ann/run"):
        error = ask(name, token)
        assert isinstance(error, InputError) and f"'{name}' is taken" in str(error)


def test_the_same_run_may_be_pushed_again_but_not_shown_to_more(hub, ask):
    hub.add("ann/run", files={"mtlab/provenance.json": f'{{"run": "{RUN}"}}'.encode()})
    token = hub.person("ann")
    assert ask("ann/run", token).name == "ann/run"
    error = ask("ann/run", token, "private")
    assert isinstance(error, InputError) and "everybody may see it" in str(error)


@pytest.mark.parametrize(
    "name",
    ["new", "ann/", "/new", "ann/new/er", "ann/a b", "ann/--x", "ann/x.git", "ann/" + "x" * 99],
)
def test_what_is_no_name(name):
    with pytest.raises(InputError, match="is no name of the hub") as caught:
        check_name(name)
    assert caught.value.field == "OWNER/NAME"


def test_an_address_where_nobody_answers(hub, monkeypatch):
    token = hub.person("ann")
    hub.patch(monkeypatch, token)
    with nobody_answers() as address:
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", address)
        with pytest.raises(NotAvailable, match="cannot be reached") as caught:
            check_place("ann/new", RUN, "public", Settings.from_environment())
    assert address in str(caught.value) and token not in str(caught.value)


def test_a_lab_that_is_offline(hub, monkeypatch):
    hub.patch(monkeypatch, hub.person("ann"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(NotAvailable, match="the lab is offline"):
        check_place("ann/new", RUN, "public", Settings.from_environment())
    assert hub.requests == []

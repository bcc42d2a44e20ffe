"""A Space made and renewed on a stand-in of the hub, and what the hub refuses."""

import pytest
from huggingface_hub import HfApi

from mtlab.errors import InputError, MtlabError, NotAvailable
from mtlab.spaces import Deployment, Hardware, SpaceFile, create, renew
from tests.hub_stand_in import Answer, HubStandIn, nobody_answers

FILES = (
    SpaceFile("README.md", b"---\ntitle: lab\n---\n"),
    SpaceFile("app.py", b"print()"),
    SpaceFile("assets/w.safetensors", b"weights"),
    SpaceFile("mtlab/x.py", b"x = 1"),
)
SECRET = "planted-secret"


@pytest.fixture
def hub(monkeypatch):
    with HubStandIn() as stand_in:
        stand_in.patch(monkeypatch)
        yield stand_in


def deployment(name="ann/lab", hardware="cpu-basic", **more):
    return Deployment(name, Hardware.named(hardware), FILES, **more)


def refused(hub, token, push=create, **more):
    """What is said of a deployment that changes nothing."""
    api = HfApi(hub.address, token=token)
    with pytest.raises(MtlabError) as caught:
        push(deployment(secrets={"KEY": SECRET}, **more), api)
    said = str(caught.value)
    assert hub.changes == []
    assert SECRET not in said and (token is None or token not in said)
    assert said.count("\n") == 0 and said.endswith(".")
    return said


def test_a_space_is_made_with_all_that_it_needs_before_it_starts(hub):
    api = HfApi(hub.address, token=hub.person("ann"))
    plan = deployment(
        hardware="cpu-upgrade",
        variables={"MTLAB_ALLOW": "bob"},
        secrets={"KEY": SECRET},
        private=True,
    )
    assert create(plan, api) == f"{hub.address}/spaces/ann/lab"
    space = hub.repo("ann/lab", "space")
    assert {path: space.files[path] for path in space.files if path != ".gitattributes"} == {
        file.path: file.read() for file in FILES
    }
    assert "assets/w.safetensors" in space.large
    assert space.private and space.sdk == "gradio" and space.hardware == "cpu-upgrade"
    assert space.variables == {"MTLAB_ALLOW": "bob"}
    assert space.secrets == {"KEY": SECRET}
    assert hub.changes[0] == "POST /api/repos/create"
    assert sum(SECRET.encode() in body for body in hub.sent) == 1


def test_a_space_of_an_organisation_is_made_by_a_token_for_it(hub):
    token = hub.person("ann", "fineGrained", orgs=("team",), scopes=("team",))
    create(deployment("team/lab"), HfApi(hub.address, token=token))
    assert "mtlab/x.py" in hub.repo("team/lab", "space").files


def test_a_space_is_renewed(hub):
    api = HfApi(hub.address, token=hub.person("ann"))
    space = hub.add("ann/lab", "space", {"mtlab/old.py": b"", "kept.txt": b"", "app.py": b"old"})
    space.variables["OTHER"] = "stays"
    plan = deployment(hardware="t4-small", variables={"A": "1"}, secrets={"KEY": SECRET})
    assert renew(plan, api) == f"{hub.address}/spaces/ann/lab"
    assert "mtlab/old.py" not in space.files and "kept.txt" in space.files
    assert space.files["app.py"] == b"print()" and space.files["mtlab/x.py"] == b"x = 1"
    assert space.variables == {"OTHER": "stays", "A": "1"} and space.secrets == {"KEY": SECRET}
    assert space.hardware == "t4-small" and not space.private
    renew(deployment(hardware="t4-small", private=True), api)
    assert space.private
    renew(deployment(hardware="t4-small"), api)
    assert space.private, "a private Space does not become public by itself"
    assert sum(one.endswith("/hardware") for one in hub.changes) == 1


def test_without_a_token_nothing_is_asked(hub):
    assert refused(hub, None).startswith("HF_TOKEN: there is no token for the hub: make one")
    assert hub.requests == []


def test_a_token_that_may_not_write_is_refused(hub):
    writing = "HF_TOKEN: this token may not write to 'ann'"
    for role, more in (("read", {}), ("fineGrained", {"scopes": ("team",), "orgs": ("team",)})):
        assert refused(hub, hub.person("ann", role, **more)).startswith(writing)
    assert refused(hub, hub.person("bob")).startswith(writing)
    hub.add("ann/lab", "space")
    assert refused(hub, hub.person("bob"), renew).startswith(writing)


def test_a_token_that_nobody_has_is_refused(hub):
    assert refused(hub, "hf_" + "unknown1" * 4).startswith(
        "HF_TOKEN: the hub does not know this token"
    )


def test_a_name_that_is_taken_or_is_not_there_is_refused(hub):
    token = hub.person("ann")
    missing = refused(hub, token, renew)
    assert missing == "space: there is no Space 'ann/lab' to update: leave --update out."
    hub.add("ann/lab", "space")
    assert refused(hub, token).startswith("space: there is a Space 'ann/lab' already: choose")


def test_an_address_nobody_answers_is_said(hub):
    with nobody_answers() as address, pytest.raises(NotAvailable) as caught:
        create(deployment(), HfApi(address, token=hub.person("ann")))
    assert f"nobody answers at {address} (ConnectError)" in str(caught.value)


def test_an_address_that_is_no_hub_is_said(hub, monkeypatch):
    token = hub.person("ann")
    for answer in (Answer(200, b"<html>"), Answer(404, b"")):
        monkeypatch.setattr(hub, "answer", lambda request, answer=answer: answer)
        assert refused(hub, token).startswith(f"no hub answers at {hub.address}")


def test_offline_is_said(hub, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    said = refused(hub, hub.person("ann"))
    assert said == "the hub cannot be asked (HF_HUB_OFFLINE is set): unset it."


def answering(hub, monkeypatch, path, status, message):
    """Have the hub refuse one path."""
    whole = hub.answer

    def answer(request):
        if request.path == path:
            return Answer(status, {"error": message}, {"X-Error-Message": message})
        return whole(request)

    monkeypatch.setattr(hub, "answer", answer)


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (
            402,
            "the hub wants to be paid for 'ann/lab' (no [secret]): see https://huggingface.co/se",
        ),
        (403, "HF_TOKEN: this token may not write to 'ann'"),
        (409, "space: there is a Space 'ann/lab' already"),
        (418, "the hub refuses 'ann/lab' (418) (no [secret])"),
        (429, "the hub has been asked too often: try again later"),
        (500, "the hub fails (500) (no [secret]): try again later"),
    ],
)
def test_what_the_hub_refuses_when_the_space_is_made(hub, monkeypatch, status, says):
    answering(hub, monkeypatch, "/api/repos/create", status, f"no {SECRET}")
    assert refused(hub, hub.person("ann")).startswith(says)


def test_an_account_that_cannot_pay_gets_no_gpu(hub, monkeypatch):
    monkeypatch.setattr(HfApi, "whoami", lambda api: {"name": "ann", "canPay": False})
    said = refused(hub, hub.person("ann"), hardware="t4-small")
    assert said.startswith("'t4-small' costs money by the hour, and the account has no way to pay")


def test_a_push_that_fails_says_that_the_space_is_there(hub, monkeypatch):
    answering(hub, monkeypatch, "/api/spaces/ann/lab/commit/main", 500, "down")
    with pytest.raises(NotAvailable) as caught:
        create(deployment(), HfApi(hub.address, token=hub.person("ann")))
    assert "the Space was made, and nothing could be pushed to it" in str(caught.value)
    assert "--update" in str(caught.value) and ("space", "ann/lab") in hub.repos


@pytest.mark.parametrize("name", ["lab", "/lab", "ann/", "ann/lab/x", "ann/a b", "ann/-x", ""])
def test_what_names_no_space_is_refused(name):
    with pytest.raises(InputError, match="space: '.*' names no Space: write OWNER/NAME"):
        deployment(name)


def test_a_name_is_a_variable_or_a_secret():
    with pytest.raises(InputError, match="--secret: 'A' is a variable as well"):
        deployment(variables={"A": "1"}, secrets={"A": "2"})


def test_what_is_shown_of_secrets_is_their_names():
    plan = deployment(secrets={"KEY": SECRET})
    assert plan.to_json()["secrets"] == ["KEY"]
    assert SECRET not in str(plan) + str(plan.to_json())

"""A lab with an auth file, over its raw endpoints: without rights, and as another person."""

import json
import re
import uuid
from contextlib import contextmanager
from types import SimpleNamespace

import httpx
import pytest
from gradio_client import Client

from mtlab import RunSpec
from mtlab.access import passwords
from mtlab.access.passwords import AuthFile
from mtlab.defaults import complete
from mtlab.presets import BASES
from mtlab.runs.creating import NewRun, new_ids
from mtlab.runs.store import RunStore
from mtlab.settings import Settings
from tests.browser import served_lab
from tests.written_runs import written_home

PASSWORD = "password of "
SPEC = {"size": 8, "train": ["de-en"], "test_limit": 4, "metrics": ["bleu"]}
NAMES = ("alice", "bob", "root")
WORDS = ("cancel", "front", "delete", "ask", "start")


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A lab over HTTP with runs of alice's: one finished, one that waits for a device for ever."""
    folder = tmp_path_factory.mktemp("rights")
    home = folder / "home"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_N", 16)
        file = AuthFile(folder / "people.txt")
        for name in NAMES:
            file.add(name, PASSWORD + name, "admin" if name == "root" else "user")
    with written_home(home) as written:
        finished = written.run(bleu={"de-en": 10.0})
        written.change(finished, owner="alice")
        settings = Settings.from_environment({"MTLAB_HOME": str(home)})
        store = RunStore(settings)
        spec = complete(RunSpec(**SPEC), BASES["nano"])
        waiting = [
            NewRun(one, spec.with_changes(seed=seed), wants="cuda:7", owner="alice")
            for seed, one in enumerate(new_ids(settings, 2))
        ]
        store.create_all(waiting)
        # There is no such device, so that all that is launched waits.
        flags = ("--auth-file", str(file.path))
        idle = {"MTLAB_DEVICES": "cuda:7", "MTLAB_MCP": "1"}
        with served_lab(home, None, *flags, variables=idle) as address:
            yield SimpleNamespace(
                address=address, store=store, finished=finished, waiting=waiting[0].id,
                last=waiting[1].id, home=home,
            )  # fmt: skip


@contextmanager
def visit(served, name=""):
    """Somebody's connection; without a name a visitor's."""
    with httpx.Client(base_url=served.address, timeout=60) as client:
        if name:
            form = {"username": name, "password": PASSWORD + name}
            assert client.post("/login", data=form).status_code == 200
        yield client


def call(client, endpoint, *data):
    """`/gradio_api/call/NAME`: what it answered, and whether that is an error."""
    joined = client.post(f"/gradio_api/call/{endpoint}", json={"data": list(data)})
    event = joined.json()["event_id"]
    text = client.get(f"/gradio_api/call/{endpoint}/{event}").text
    kind, _, answer = text.rpartition("event: ")[2].partition("\ndata: ")
    return kind, json.loads(answer)


def join(client, number, data, event_data=None):
    """`/queue/join` with a handler's number: what it said until it was done."""
    return join_all(client, [(number, data, event_data)])


def join_all(client, calls):
    """Several handlers at once, as one page asks them; all that they said."""
    session = uuid.uuid4().hex
    waiting, text = set(), ""
    for number, data, event_data in calls:
        body = {
            "fn_index": number, "data": data, "session_hash": session, "event_data": event_data,
            "trigger_id": None,
        }  # fmt: skip
        joined = client.post("/gradio_api/queue/join", json=body)
        if joined.status_code == 200:
            waiting.add(joined.json()["event_id"])
        else:
            text += joined.text
    with client.stream("GET", "/gradio_api/queue/data", params={"session_hash": session}) as lines:
        for line in lines.iter_lines():
            if not waiting:
                break
            text += line + "\n"
            if '"process_completed"' in line:
                waiting.discard(json.loads(line.removeprefix("data:"))["event_id"])
    return text


def standing(served):
    """All that a handler could change of runs."""
    return {
        run.id: (served.store.status(run.id).state, served.store.status(run.id).queued)
        for run in served.store.list()
    }


def test_a_visitor_looks_and_launches_nothing(served):
    before = standing(served)
    with visit(served) as client:
        assert client.get("/").status_code == 200
        assert client.get("/whoami").json() == {"name": "", "may_launch": False, "is_admin": False}
        kind, answer = call(client, "launch", SPEC)
        assert kind == "error" and answer["error"] == (
            "runs are launched by those who have signed in, and you have not: "
            "sign in at the top of the page."
        )
        kind, (answer,) = call(client, "status", served.finished)
        assert kind == "complete" and answer["state"] == "finished"
        kind, (answer,) = call(client, "translate", "Ja.", "de-en", "nano")
        assert kind == "complete" and answer["system"] == "base:nano"
        upload = client.post("/gradio_api/upload", files={"files": ("a.tsv", b"de\ten")})
        assert upload.status_code == 403 and "sign in" in upload.json()["detail"]
    assert standing(served) == before


def test_what_a_client_says_of_itself_is_not_heard(served):
    before = standing(served)
    for headers in (
        {"cookie": "mtlab-session=alice"},
        {"cookie": "mtlab-session=" + "A" * 43},
        {"cookie": "session=eyJvYXV0aF9pbmZvIjp7fX0=; access-token-unsecure=root"},
        {"authorization": "Basic cm9vdDpwYXNzd29yZA==", "x-gradio-user": "root"},
        {"x-forwarded-user": "root", "remote-user": "root"},
    ):
        with visit(served) as client:
            client.headers.update(headers)
            assert client.get("/whoami").json()["name"] == ""
            kind, _ = call(client, "launch", {**SPEC, "owner": "root"})
            assert kind == "error"
            assert call(client, "launch", SPEC)[0] == "error"
    assert standing(served) == before


@pytest.mark.parametrize("name", ["", "bob"])
def test_no_handler_of_the_page_changes_a_run_of_somebody_elses(served, name):
    """Every handler there is, by its number, with whatever may name alice's runs."""
    before = standing(served)
    calls = []
    with visit(served, name) as client:
        config = client.get("/config").json()
        values = {one["id"]: one["props"].get("value") for one in config["components"]}
        kinds = {one["id"]: one["type"] for one in config["components"]}
        for handler in config["dependencies"]:
            if not handler["backend_fn"] or handler["types"]["generator"]:
                continue
            names_run = "textbox" in [kinds[one] for one in handler["inputs"]]
            clicked = any(kinds.get(target[0]) == "html" for target in handler["targets"])
            for run in (served.waiting, served.finished)[: 1 + names_run]:
                data = [
                    run if kinds[one] == "textbox" else values[one] for one in handler["inputs"]
                ]
                words = WORDS if clicked else ("",)
                calls += [(handler["id"], data, {"what": one, "value": run}) for one in words]
        said = "".join(join_all(client, calls[at : at + 60]) for at in range(0, len(calls), 60))
    after = standing(served)
    assert {run: after.get(run) for run in before} == before
    assert name or after == before, "a visitor launches nothing either"
    refusals = len(re.findall("sign in at the top|administrator", said))
    assert len(calls) > 200 and refusals >= 5, "the page's buttons were refused with the reason"


def test_another_person_is_told_so_and_the_owner_is_not(served):
    with visit(served) as client:
        config = client.get("/config").json()
    titles = {one["id"]: one["props"].get("value") for one in config["components"]}
    numbers = {
        titles[target[0]]: handler["id"]
        for handler in config["dependencies"]
        for target in handler["targets"]
        if target[1] == "click" and handler["backend_fn"]
    }
    stop = next(number for title, number in numbers.items() if "Stop and keep" in str(title))
    for name, says in (("", "sign in at the top of the page"), ("bob", "who launched it")):
        with visit(served, name) as client:
            said = join(client, stop, [served.waiting])
        assert says in said and served.store.status(served.waiting).state == "queued"
    with visit(served, "alice") as client:
        join(client, stop, [served.waiting])
    assert served.store.status(served.waiting).state == "stopped"
    with visit(served, "root") as client:
        join(client, stop, [served.last])
    assert served.store.status(served.last).state == "stopped"


def test_who_has_signed_in_launches_and_owns_it(served):
    client = Client(served.address, auth=("alice", PASSWORD + "alice"), verbose=False)
    run = client.predict({**SPEC, "seed": 7}, api_name="/launch")
    assert served.store.status(run).owner == "alice"
    with visit(served, "root") as root:
        kind, answer = call(root, "launch", {**SPEC, "seed": 8})
    assert kind == "complete" and served.store.status(answer[0]).owner == "root"
    for one in (run, answer[0]):
        served.store.request_stop(one)


def test_a_language_model_has_the_rights_of_whom_it_works_for(served):
    """The endpoints as MCP tools: the cookie of the connection says whose they are."""
    import asyncio

    from mcp import ClientSession
    from mcp.client.streamable_http import streamable_http_client

    async def launched(cookies):
        async with (
            httpx.AsyncClient(cookies=cookies, timeout=60) as connection,
            streamable_http_client(f"{served.address}/gradio_api/mcp/", http_client=connection) as (
                read,
                write,
                _,
            ),
            ClientSession(read, write) as session,
        ):
            await session.initialize()
            return await session.call_tool("launch", {"spec": {**SPEC, "seed": 11}})

    before = standing(served)
    refused = asyncio.run(launched({}))
    assert refused.isError and "sign in" in refused.content[0].text
    assert standing(served) == before
    with visit(served, "alice") as client:
        done = asyncio.run(launched(dict(client.cookies)))
    assert not done.isError
    (run,) = standing(served).keys() - before.keys()
    assert served.store.status(run).owner == "alice"
    served.store.request_stop(run)


def test_signing_in_and_out(served):
    with visit(served) as client:
        wrong = client.post("/login", data={"username": "alice", "password": "wrong"})
        assert wrong.status_code == 401 and "set-cookie" not in wrong.headers
        assert client.post("/login", content=b"x" * 5000).status_code == 401
        assert client.post("/login").status_code == 401
        form = {"username": "alice", "password": PASSWORD + "alice"}
        elsewhere = client.post("/login", data=form, headers={"origin": "http://evil.example"})
        assert elsewhere.status_code == 403 and "set-cookie" not in elsewhere.headers
        cookie = client.post("/login", data=form).headers["set-cookie"]
        assert {"HttpOnly", "Path=/", "SameSite=lax"} <= set(cookie.split("; "))
        assert "Secure" not in cookie
        behind_https = client.post("/login", data=form, headers={"x-forwarded-proto": "https"})
        assert "Secure" in behind_https.headers["set-cookie"].split("; ")
        client.cookies.clear()
        client.post("/login", data=form)
        word = client.cookies["mtlab-session"]
        assert client.get("/whoami").json()["name"] == "alice"
        assert client.post("/logout").status_code == 303
        client.cookies.set("mtlab-session", word)
        assert client.get("/whoami").json()["name"] == "", "the session itself has ended"
        tries = [
            client.post("/login", data={"username": "carol", "password": str(number)}).status_code
            for number in range(12)
        ]
    assert set(tries[:9]) == {401} and tries[-1] == 429


def test_no_file_of_the_machine_is_served_or_opened(served):
    secret = served.home / "secret.tsv"
    secret.write_text("de\ten\nGeheim.\tSecret.\n")
    with visit(served, "bob") as client:
        for path in (secret, "/etc/passwd", served.home / "lab.db", "app.py", "mtlab/lab.py"):
            for asked in (f"/gradio_api/file={path}", f"/file={path}"):
                assert client.get(asked).status_code in (403, 404), asked
        config = client.get("/config").json()
        kinds = {one["id"]: one["type"] for one in config["components"]}
        values = {one["id"]: one["props"].get("value") for one in config["components"]}
        asked = 0
        for handler in config["dependencies"]:
            if "file" not in [kinds[one] for one in handler["inputs"]]:
                continue
            for given in ({"path": str(secret), "meta": {"_type": "gradio.FileData"}}, None):
                data = [
                    given if kinds[one] == "file"
                    else str(secret) if values[one] == "everyday" else values[one]
                    for one in handler["inputs"]
                ]  # fmt: skip
                said = join(client, handler["id"], data)
                assert "Geheim" not in said
                asked += 1
    assert asked >= 6
    secret.unlink()

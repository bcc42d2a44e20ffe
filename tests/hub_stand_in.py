"""A small stand-in of the hub's HTTP interface, for what huggingface_hub asks when it pushes.

It keeps models, datasets and Spaces in memory: who asks, repositories made and deleted, files
uploaded (small ones in the commit, large ones by LFS), committed, listed and fetched at a revision,
and a Space's secrets, variables and hardware. It refuses as the hub does: no token or an unknown
one (401), a token or a namespace without write access (403), a name taken (409), nothing there
(404). What it does not know is answered with 501, so that no test passes by accident.

    with HubStandIn() as hub:
        ann = hub.person("ann", orgs=("lab",))          # a token that may write
        HfApi(hub.address, token=ann).create_repo("lab/new")
        hub.repo("lab/new").files["README.md"]

The hub's library reads its address and whether to use Xet when it is imported: give another
process `hub.environment(token)`, or this one `hub.patch(monkeypatch, token)`.
"""

from __future__ import annotations

import base64
import hashlib
import http.server
import json
import re
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import yaml

from tests.hub_server import handler_of
from tests.hub_values import (
    LARGE_BYTES,
    LARGE_ENDINGS,
    Answer,
    Person,
    Refused,
    Repo,
    Request,
    git_id,
)

KINDS = ("model", "dataset", "space")


class HubStandIn:
    """The stand-in: a server in a thread, from `with` to its end."""

    def __init__(self) -> None:
        self.people: dict[str, Person] = {}
        self.repos: dict[tuple[str, str], Repo] = {}
        self.objects: dict[str, bytes] = {}
        self.refusals: dict[str, tuple[int, str]] = {}
        """Status and message with which every path that holds the key is refused."""
        self.requests: list[str] = []
        """`METHOD /path` of everything asked, in order."""
        self.sent: list[bytes] = []
        """Every body received, to be searched for what must not leave the machine."""
        self._lock = threading.RLock()
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler_of(self))
        self._server.daemon_threads = True

    @property
    def address(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> HubStandIn:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def person(
        self,
        name: str,
        role: str = "write",
        orgs: tuple[str, ...] = (),
        scopes: tuple[str, ...] = (),
    ) -> str:
        """Add an account with a token, and give the token."""
        digits = hashlib.sha256(f"{name} {role}".encode()).hexdigest()
        token = f"hf_{digits[:34]}"
        self.people[token] = Person(name, role, orgs, scopes)
        return token

    def add(self, id: str, kind: str = "model", files: dict[str, bytes] | None = None) -> Repo:
        """Put a repository there, as if somebody had made it before."""
        repo = self.repos[kind, id] = Repo(kind, id)
        if files:
            repo.commit("before", {**repo.files, **files})
        return repo

    def repo(self, id: str, kind: str = "model") -> Repo:
        """A repository that was made; a KeyError where it was not."""
        return self.repos[kind, id]

    @property
    def changes(self) -> list[str]:
        """The requests that could have changed something."""
        asks = ("/preupload/", "/api/validate-yaml", "/paths-info/")
        return [
            one
            for one in self.requests
            if not one.startswith(("GET ", "HEAD ")) and not any(ask in one for ask in asks)
        ]

    def environment(self, token: str | None = None) -> dict[str, str]:
        """The variables with which another process takes this for the hub."""
        env = {"HF_ENDPOINT": self.address, "HF_HUB_DISABLE_XET": "1", "HF_HUB_OFFLINE": "0"}
        return {**env, "HF_TOKEN": token} if token else env

    def patch(self, monkeypatch: Any, token: str | None = None) -> None:
        """Let this process take it for the hub, as far as a test's `monkeypatch` lasts.

        Without a token there is none at all, whatever lies on this machine.
        """
        from huggingface_hub import constants

        for name, value in self.environment(token).items():
            monkeypatch.setenv(name, value)
        if token is None:
            monkeypatch.delenv("HF_TOKEN", raising=False)
            monkeypatch.delenv("HUGGING_FACE_HUB_TOKEN", raising=False)
        monkeypatch.setattr(constants, "HF_TOKEN_PATH", "/nowhere/token")
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "ENDPOINT", self.address)
        monkeypatch.setattr(
            constants,
            "HUGGINGFACE_CO_URL_TEMPLATE",
            self.address + "/{repo_id}/resolve/{revision}/{filename}",
        )

    def answer(self, request: Request) -> Answer:
        """The answer to one request."""
        with self._lock:
            self.requests.append(f"{request.method} {request.path}")
            self.sent.append(request.body)
            try:
                for part, (status, message) in self.refusals.items():
                    if part in request.path:
                        raise Refused(status, message)
                for method, pattern, handle in _ROUTES:
                    if request.method in method and (match := pattern.fullmatch(request.path)):
                        return handle(self, request, **match.groupdict())
                return Answer(501, {"error": f"not known: {request.method} {request.path}"})
            except Refused as refusal:
                return refusal.answer

    # Who asks, and what may they

    def _asker(self, request: Request) -> Person | None:
        if request.token is None:
            return None
        if request.token not in self.people:
            raise Refused(401, "Invalid credentials in Authorization header")
        return self.people[request.token]

    def _seen(self, request: Request, kind: str, id: str) -> Repo:
        """A repository that the asker may look at."""
        person = self._asker(request)
        repo = self.repos.get((kind, id))
        owner = id.split("/")[0]
        if repo is None or (
            repo.private and (person is None or owner not in (person.name, *person.orgs))
        ):
            raise Refused(404 if person else 401, "Repository not found", "RepoNotFound")
        return repo

    def _changed(self, request: Request, kind: str, id: str) -> Repo:
        """A repository that the asker may change."""
        repo = self._seen(request, kind, id)
        self._writer(request, id.split("/")[0])
        return repo

    def _writer(self, request: Request, owner: str) -> None:
        person = self._asker(request)
        if person is None:
            raise Refused(401, "Invalid username or password.")
        if not person.may_write(owner):
            raise Refused(403, f'You don\'t have the rights under the namespace "{owner}"')

    # Accounts and repositories

    def whoami(self, request: Request) -> Answer:
        person = self._asker(request)
        if person is None:
            raise Refused(401, "Invalid username or password.")
        return Answer(body=person.to_json())

    def create(self, request: Request) -> Answer:
        asked = request.json()
        person = self._asker(request)
        owner = asked.get("organization") or (person.name if person else "")
        self._writer(request, owner)
        kind, id = asked.get("type") or "model", f"{owner}/{asked['name']}"
        url = f"{self.address}/{'' if kind == 'model' else kind + 's/'}{id}"
        if (kind, id) in self.repos:
            message = f"You already created this {kind} repo"
            return Answer(409, {"error": message, "url": url}, {"X-Error-Message": message})
        repo = Repo(kind, id, asked.get("visibility") == "private", asked.get("sdk"))
        repo.hardware = asked.get("hardware") or "cpu-basic"
        repo.sleep_seconds = asked.get("sleepTimeSeconds")
        for name in ("secrets", "variables"):
            getattr(repo, name).update({one["key"]: one["value"] for one in asked.get(name) or ()})
        self.repos[kind, id] = repo
        return Answer(body={"url": url, "name": id, "id": id})

    def delete(self, request: Request) -> Answer:
        asked = request.json()
        person = self._asker(request)
        owner = asked.get("organization") or (person.name if person else "")
        kind, id = asked.get("type") or "model", f"{owner}/{asked['name']}"
        self._changed(request, kind, id)
        del self.repos[kind, id]
        return Answer(body={})

    def settings(self, request: Request, kind: str, id: str) -> Answer:
        repo = self._changed(request, kind, id)
        asked = request.json()
        repo.private = asked.get("visibility", "private" if repo.private else "") == "private"
        return Answer(body={"private": repo.private})

    def info(self, request: Request, kind: str, id: str, revision: str | None = None) -> Answer:
        repo = self._seen(request, kind, id)
        oid, files = _at(repo, revision or "main")
        siblings = []
        for path, data in sorted(files.items()):
            entry = repo.entry(path, data)
            sibling: dict[str, Any] = {"rfilename": path}
            if "blobs" in request.query:
                sibling |= {"size": len(data), "blobId": entry["oid"]}
                if "lfs" in entry:
                    lfs = entry["lfs"]
                    sibling["lfs"] = {"sha256": lfs["oid"], "size": len(data), "pointerSize": 134}
            siblings.append(sibling)
        card = _front_matter(files.get("README.md", b"").decode())
        body = {
            "id": id,
            "modelId": id,
            "author": id.split("/")[0],
            "sha": oid,
            "private": repo.private,
            "gated": False,
            "disabled": False,
            "tags": list(card.get("tags", ())),
            "siblings": siblings,
        }
        if isinstance(index := card.pop("model-index", None), list):
            body["model-index"] = index
        if card:
            body["cardData"] = card
        for name in ("pipeline_tag", "library_name"):
            if name in card:
                body[name] = card[name]
        if kind == "space":
            body |= {"sdk": repo.sdk, "runtime": repo.runtime()}
        return Answer(body=body)

    def auth_check(self, request: Request, kind: str, id: str) -> Answer:
        self._seen(request, kind, id)
        return Answer(body={})

    def refs(self, request: Request, kind: str, id: str) -> Answer:
        repo = self._seen(request, kind, id)
        main = {"name": "main", "ref": "refs/heads/main", "targetCommit": repo.head}
        return Answer(body={"branches": [main], "converts": [], "tags": []})

    def commits(self, request: Request, kind: str, id: str, revision: str) -> Answer:
        repo = self._seen(request, kind, id)
        _at(repo, revision)
        return Answer(
            body=[
                {
                    "id": oid,
                    "title": title,
                    "message": "",
                    "authors": [],
                    "date": "2026-01-01T00:00:00.000Z",
                }
                for oid, title, _ in reversed(repo.history)
            ]
        )

    # Files, up

    def validate_yaml(self, request: Request) -> Answer:
        try:
            card = _front_matter(request.json()["content"])
        except (yaml.YAMLError, ValueError) as error:
            return Answer(400, {"errors": [{"message": str(error)}], "warnings": []})
        warnings = [] if card else [{"message": "empty or missing yaml metadata in repo card"}]
        return Answer(body={"errors": [], "warnings": warnings})

    def preupload(self, request: Request, kind: str, id: str, revision: str) -> Answer:
        repo = self._changed(request, kind, id)
        return Answer(
            body={
                "files": [
                    {
                        "path": one["path"],
                        "uploadMode": "lfs"
                        if one["path"].endswith(LARGE_ENDINGS) or one["size"] > LARGE_BYTES
                        else "regular",
                        "shouldIgnore": False,
                        "oid": git_id(repo.files[one["path"]])
                        if one["path"] in repo.files
                        else None,
                    }
                    for one in request.json()["files"]
                ]
            }
        )

    def lfs_batch(self, request: Request, id: str, prefix: str | None = None) -> Answer:
        kind = prefix.removesuffix("s/") if prefix else "model"
        self._changed(request, kind, id)
        objects = []
        for one in request.json()["objects"]:
            here = f"{self.address}/lfs/{one['oid']}"
            actions = {"upload": {"href": here}, "verify": {"href": f"{here}/verify"}}
            there = one["oid"] in self.objects
            objects.append({**one, **({} if there else {"actions": actions})})
        return Answer(body={"transfer": "basic", "objects": objects})

    def lfs_upload(self, request: Request, oid: str) -> Answer:
        if hashlib.sha256(request.body).hexdigest() != oid:
            raise Refused(400, "the content is not what its digest says")
        self.objects[oid] = request.body
        return Answer(body={})

    def lfs_verify(self, request: Request, oid: str) -> Answer:
        if len(self.objects.get(oid, b"")) != request.json()["size"]:
            raise Refused(400, "not there, or of another size")
        return Answer(body={})

    def commit(self, request: Request, kind: str, id: str, revision: str) -> Answer:
        repo = self._changed(request, kind, id)
        files = dict(repo.files)
        title = ""
        for line in request.body.splitlines():
            entry = json.loads(line)
            value = entry["value"]
            match entry["key"]:
                case "header":
                    title = value["summary"]
                    if value.get("parentCommit", repo.head) != repo.head:
                        raise Refused(412, "A commit has happened since. Please refresh and retry.")
                case "file":
                    files[value["path"]] = base64.b64decode(value["content"])
                    repo.large.discard(value["path"])
                case "lfsFile":
                    if value["oid"] not in self.objects:
                        raise Refused(400, f"LFS pointer to an object that is not there: {value}")
                    files[value["path"]] = self.objects[value["oid"]]
                    repo.large.add(value["path"])
                case "deletedFile":
                    del files[value["path"]]
                case "deletedFolder":
                    folder = value["path"].rstrip("/") + "/"
                    for path in [path for path in files if path.startswith(folder)]:
                        del files[path]
                case other:
                    raise Refused(400, f"unknown operation {other}")
        oid = repo.commit(title, files)
        url = f"{self.address}/{'' if kind == 'model' else kind + 's/'}{id}/commit/{oid}"
        return Answer(body={"success": True, "commitOid": oid, "commitUrl": url, "hookOutput": ""})

    # Files, down

    def tree(
        self, request: Request, kind: str, id: str, revision: str, folder: str | None = None
    ) -> Answer:
        repo = self._seen(request, kind, id)
        _, files = _at(repo, revision)
        start = f"{folder}/" if folder else ""
        whole = request.query.get("recursive", ["false"])[0].lower() in ("true", "1")
        entries: dict[str, dict[str, Any]] = {}
        for path, data in sorted(files.items()):
            if not path.startswith(start):
                continue
            parts = path.removeprefix(start).split("/")
            for depth in range(1, len(parts)):
                name = start + "/".join(parts[:depth])
                if whole or depth == 1:
                    folder_id = git_id(name.encode())
                    entries[name] = {"type": "directory", "path": name, "oid": folder_id, "size": 0}
            if whole or len(parts) == 1:
                entries[path] = repo.entry(path, data)
        if folder and not entries:
            raise Refused(404, "Entry not found", "EntryNotFound")
        return Answer(body=list(entries.values()))

    def paths_info(self, request: Request, kind: str, id: str, revision: str) -> Answer:
        repo = self._seen(request, kind, id)
        _, files = _at(repo, revision)
        paths = urllib.parse.parse_qs(request.body.decode()).get("paths", [])
        return Answer(body=[repo.entry(path, files[path]) for path in paths if path in files])

    def resolve(
        self, request: Request, id: str, revision: str, path: str, prefix: str | None = None
    ) -> Answer:
        repo = self._seen(request, prefix.removesuffix("s/") if prefix else "model", id)
        oid, files = _at(repo, revision)
        headers = {"X-Repo-Commit": oid}
        if path not in files:
            refusal = Refused(404, "Entry not found", "EntryNotFound").answer
            return Answer(404, refusal.body, {**refusal.headers, **headers})
        data = files[path]
        if path not in repo.large:
            return Answer(200, data, {**headers, "ETag": f'"{git_id(data)}"'})
        # The hub sends on to its storage, at another address; the library
        # takes a redirect to the same one for another file, so that it is answered here.
        sha = hashlib.sha256(data).hexdigest()
        headers |= {"ETag": f'"{sha}"', "X-Linked-Etag": f'"{sha}"'}
        return Answer(200, data, {**headers, "X-Linked-Size": str(len(data))})

    # Spaces

    def secrets(self, request: Request, id: str) -> Answer:
        repo = self._changed(request, "space", id)
        _keep(repo.secrets, request)
        return Answer(body={key: {"key": key} for key in repo.secrets})

    def variables(self, request: Request, id: str) -> Answer:
        repo = self._changed(request, "space", id)
        _keep(repo.variables, request)
        return Answer(body={key: {"value": value} for key, value in repo.variables.items()})

    def space_runtime(self, request: Request, id: str) -> Answer:
        return Answer(body=self._seen(request, "space", id).runtime())

    def space_action(self, request: Request, id: str, action: str) -> Answer:
        repo = self._changed(request, "space", id)
        asked = request.json()
        match action:
            case "hardware":
                repo.hardware = asked["flavor"]
                repo.sleep_seconds = asked.get("sleepTimeSeconds", repo.sleep_seconds)
            case "sleeptime":
                repo.sleep_seconds = asked["seconds"]
            case "pause":
                repo.stage = "PAUSED"
            case "restart":
                repo.stage = "RUNNING"
                repo.restarts += 1
        return Answer(body=repo.runtime())


Handle = Callable[..., Answer]


def _routes() -> Iterator[tuple[tuple[str, ...], re.Pattern[str], Handle]]:
    name = r"(?P<id>[^/]+/[^/]+)"
    api = rf"/api/(?P<kind>model|dataset|space)s/{name}"
    at = r"(?P<revision>[^/]+)"
    space = rf"/api/spaces/{name}"
    files = rf"/(?P<prefix>datasets/|spaces/)?{name}"
    hub = HubStandIn
    table: list[tuple[str, str, Handle]] = [
        ("GET", "/api/whoami-v2", hub.whoami),
        ("POST", "/api/repos/create", hub.create),
        ("DELETE", "/api/repos/delete", hub.delete),
        ("POST", "/api/validate-yaml", hub.validate_yaml),
        ("PUT", f"{api}/settings", hub.settings),
        ("GET", f"{api}/auth-check", hub.auth_check),
        ("GET", f"{api}/refs", hub.refs),
        ("GET", f"{api}/commits/{at}", hub.commits),
        ("POST", f"{api}/preupload/{at}", hub.preupload),
        ("POST", f"{api}/commit/{at}", hub.commit),
        ("GET", f"{api}/tree/{at}(?:/(?P<folder>.+))?", hub.tree),
        ("POST", f"{api}/paths-info/{at}", hub.paths_info),
        ("GET", f"{api}(?:/revision/{at})?", hub.info),
        ("GET POST DELETE", f"{space}/secrets", hub.secrets),
        ("GET POST DELETE", f"{space}/variables", hub.variables),
        ("GET", f"{space}/runtime", hub.space_runtime),
        ("POST", f"{space}/(?P<action>hardware|sleeptime|pause|restart)", hub.space_action),
        ("POST", rf"{files}\.git/info/lfs/objects/batch", hub.lfs_batch),
        ("PUT", "/lfs/(?P<oid>[0-9a-f]{64})", hub.lfs_upload),
        ("POST", "/lfs/(?P<oid>[0-9a-f]{64})/verify", hub.lfs_verify),
        ("GET HEAD", f"{files}/resolve/{at}/(?P<path>.+)", hub.resolve),
    ]
    for methods, pattern, handle in table:
        yield tuple(methods.split()), re.compile(pattern), handle


_ROUTES = tuple(_routes())


def _at(repo: Repo, revision: str) -> tuple[str, dict[str, bytes]]:
    found = repo.at(revision)
    if found is None:
        raise Refused(404, f"Invalid rev id: {revision}", "RevisionNotFound")
    return found


def _keep(kept: dict[str, str], request: Request) -> None:
    if request.method == "POST":
        kept[request.json()["key"]] = request.json()["value"]
    elif request.method == "DELETE":
        kept.pop(request.json()["key"], None)


def _front_matter(text: str) -> dict[str, Any]:
    match = re.match(r"---\r?\n(.*?)\r?\n---", text, re.DOTALL)
    if match is None:
        return {}
    card = yaml.safe_load(match[1])
    if not isinstance(card, dict):
        raise ValueError("the front matter is no mapping")
    return card


@contextmanager
def nobody_answers() -> Iterator[str]:
    """An address of this machine where nothing listens."""
    import socket

    with socket.socket() as held:  # bound, so that nobody else takes it; never listening
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"
